//! Server-sent events, from bytes as they come in: a part may end within a line, a character or a line break.

use std::{fmt, mem};

/// No real event comes near this size.
const LONGEST_EVENT: usize = 4 * 1024 * 1024;

/// Puts the data of events together. Names, ids and times to reconnect are of no use here and skipped.
#[derive(Default)]
pub struct Parser {
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// The data lines of the event that is not complete yet.
    data: Vec<u8>,
    /// Whether the last byte ended a line by itself, so that a line feed after it is a part of that end.
    after_return: bool,
    /// Whether a line has been read: before the first, a byte order mark may stand.
    begun: bool,
}

/// An event is longer than anything that a model sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// Without the bytes: they may quote a token.
impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").finish_non_exhaustive()
    }
}

impl Parser {
    /// The data of the events that are complete with these bytes, in order; those without data are none.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_return = mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > LONGEST_EVENT {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Option<String> {
        let line = mem::take(&mut self.line);
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if !self.begun => rest,
            _ => &line,
        };
        self.begun = true;
        if line.is_empty() {
            let data = mem::take(&mut self.data);
            let data = data.strip_suffix(b"\n")?;
            return Some(String::from_utf8_lossy(data).into_owned());
        }
        let value = match line.strip_prefix(b"data") {
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            Some([]) => &[],
            _ => return None,
        };
        self.data.extend_from_slice(value);
        self.data.push(b'\n');
        None
    }
}
