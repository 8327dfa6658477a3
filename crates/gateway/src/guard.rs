//! Refuses requests that two readers might read differently, before hyper reads them: hyper ends a
//! line at a bare line feed, drops a `Content-Length` beside a `Transfer-Encoding`, and cuts a
//! fragment off a target.
//!
//! [`Scan`] follows the bytes of a connection through heads and bodies. It overwrites the line feed of
//! a line that it refuses, so that hyper answers 400 and closes the connection, and keeps from hyper
//! what follows.

/// What says how long a body is must be shorter.
const MAX_LINE: usize = 128;

/// Where in a request the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first byte of a request.
    Between,
    /// In its first line.
    Target,
    /// In a header.
    Header,
    /// In a body, or a chunk's data, with so many bytes left.
    Body(u64),
    Data(u64),
    /// In the line with a chunk's size.
    Size,
    /// Behind the last chunk.
    Trailer,
    /// Behind a line that was refused.
    Refused,
}

/// Follows the requests of one connection.
#[derive(Debug)]
pub(crate) struct Scan {
    place: Place,
    /// The beginning of the current line.
    line: Vec<u8>,
    /// The last byte of the current line.
    last: u8,
    length: Option<u64>,
    chunked: bool,
    /// What hyper reads behind a refused line, so that it parses the head.
    ending: &'static [u8],
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            place: Place::Between,
            line: Vec::with_capacity(MAX_LINE),
            last: 0,
            length: None,
            chunked: false,
            ending: b"",
        }
    }
}

impl Scan {
    /// Whether the next byte begins a request.
    pub(crate) fn is_between(&self) -> bool {
        self.place == Place::Between
    }

    /// Whether a line was refused, so that nothing more is read.
    pub(crate) fn is_refused(&self) -> bool {
        self.place == Place::Refused
    }

    /// Returns, once, what ends a head with a refused line: hyper answers when it has come.
    pub(crate) fn ending(&mut self) -> &'static [u8] {
        std::mem::take(&mut self.ending)
    }

    /// Whether a request has begun, whose headers are not complete.
    pub(crate) fn is_in_head(&self) -> bool {
        matches!(self.place, Place::Target | Place::Header)
    }

    /// Follows bytes that were received, and spoils a line that is refused. Returns how many of them
    /// may be read.
    pub(crate) fn feed(&mut self, mut bytes: &mut [u8]) -> usize {
        let received = bytes.len();
        while !bytes.is_empty() {
            match self.place {
                Place::Refused => break,
                Place::Body(left) | Place::Data(left) => {
                    let count = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    bytes = bytes.get_mut(count..).unwrap_or_default();
                    let left = left - count as u64;
                    self.place = match self.place {
                        Place::Data(_) if left == 0 => Place::Size,
                        Place::Data(_) => Place::Data(left),
                        _ if left == 0 => Place::Between,
                        _ => Place::Body(left),
                    };
                }
                _ => {
                    if self.place == Place::Between {
                        self.place = Place::Target;
                    }
                    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                        self.extend(bytes);
                        return received;
                    };
                    let (line, rest) = bytes.split_at_mut(end);
                    self.extend(line);
                    let Some((feed, rest)) = rest.split_first_mut() else {
                        return received;
                    };
                    let is_size = self.place == Place::Size;
                    let is_in_head = self.is_in_head();
                    if !self.end_line() {
                        // Hyper refuses a size of its own accord, but takes an extension with any byte.
                        if !is_size {
                            *feed = 0;
                        }
                        if is_in_head {
                            self.ending = b"\r\n\r\n";
                        }
                        self.place = Place::Refused;
                    }
                    self.line.clear();
                    self.last = 0;
                    bytes = rest;
                }
            }
        }
        received - bytes.len()
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.line.len());
        self.line.extend(bytes.iter().take(room));
        self.last = bytes.last().copied().unwrap_or(self.last);
        if self.place == Place::Target && bytes.contains(&b'#') {
            // Refused at the end of the line.
            self.length = Some(u64::MAX);
        }
    }

    /// Reads a line that is complete. Returns false if it is refused.
    fn end_line(&mut self) -> bool {
        if self.last != b'\r' {
            return false;
        }
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        match self.place {
            // Empty lines before a request are skipped.
            Place::Target if line.is_empty() => true,
            Place::Target => {
                self.place = Place::Header;
                self.length.take().is_none()
            }
            Place::Header if line.is_empty() => {
                let length = self.length.take();
                self.place = match (length, self.chunked) {
                    (Some(_), true) => return false,
                    (None, true) => Place::Size,
                    (None | Some(0), false) => Place::Between,
                    (Some(length), false) => Place::Body(length),
                };
                self.chunked = false;
                true
            }
            Place::Header => self.header(),
            Place::Size => {
                let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
                if digits >= MAX_LINE {
                    return false;
                }
                let text = line.get(..digits).and_then(|digits| str::from_utf8(digits).ok());
                match text.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
                    Some(0) => self.place = Place::Trailer,
                    // With the line break behind the data.
                    Some(size) if size < u64::MAX - 2 => self.place = Place::Data(size + 2),
                    // Hyper refuses it, too.
                    _ => return false,
                }
                true
            }
            Place::Trailer => {
                if line.is_empty() {
                    self.place = Place::Between;
                }
                true
            }
            Place::Between | Place::Body(_) | Place::Data(_) | Place::Refused => true,
        }
    }

    fn header(&mut self) -> bool {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let Some((name, value)) = line
            .iter()
            .position(|byte| *byte == b':')
            .and_then(|at| line.split_at_checked(at))
        else {
            return true;
        };
        let is_whole = self.line.len() < MAX_LINE;
        let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let number = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            let is_first = self.length.is_none();
            self.length = number;
            return is_number && is_first && is_whole && number.is_some_and(|number| number < u64::MAX);
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_first = !self.chunked;
            self.chunked = true;
            return is_first && is_whole && value.eq_ignore_ascii_case(b"chunked");
        }
        true
    }
}
