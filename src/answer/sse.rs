//! Parses server-sent events from bytes as they arrive. A part may end within a line, a character
//! or a line break.

use std::{fmt, mem};

/// The longest event. Real ones are far shorter.
const LONGEST_EVENT: usize = 4 * 1024 * 1024;

/// Collects the data of events. Ignores names, ids and reconnection times.
#[derive(Default)]
pub struct Parser {
    /// The incomplete line at the end.
    line: Vec<u8>,
    /// The data lines of the incomplete event at the end.
    data: Vec<u8>,
    /// Whether the last byte was a carriage return. A line feed after it belongs to the same line
    /// break.
    after_return: bool,
    /// Whether a line was read. Only the first may start with a byte order mark.
    begun: bool,
}

/// An event exceeds the length limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// Hides the bytes, which may quote a token.
impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").finish_non_exhaustive()
    }
}

impl Parser {
    /// Returns the data of the events that these bytes complete, in order. Skips events without
    /// data.
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

    /// Returns the data of the last event, which a stream may leave without the empty line that ends
    /// it. Call it when no more bytes come.
    pub fn finish(&mut self) -> Option<String> {
        let last = self.end_line();
        last.or_else(|| self.end_line())
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
