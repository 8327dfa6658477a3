//! Reads the texts of JSON as its bytes arrive: a request's body, an answer, or the events of a
//! stream. Keeps nothing but the start of the current text, whatever the size of the whole.

/// How much of a text is kept.
const MAX_TEXT: usize = 256;

/// Receives the depth (1: a member of the outermost object), the name of the member or of the list's
/// member, and the text, of which at most 256 bytes are kept.
type Each<'a> = dyn FnMut(u32, &[u8], &[u8]) + 'a;

/// Reads texts piece by piece. Text that is no JSON gives no error, and no sense.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    depth: u32,
    state: State,
    /// The current text, or the one that ended last.
    text: Vec<u8>,
    /// The name of the current member.
    key: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Outside,
    /// A text has ended, and is a name if a colon follows.
    Ended,
    Inside,
    Escape,
    /// A `\u` with so many of its digits, and their value.
    Unicode(u8, u32),
}

impl Scanner {
    /// Reads a piece, and calls `each` with every text that ended in it.
    pub(super) fn feed(&mut self, bytes: &[u8], each: &mut Each<'_>) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if matches!(self.state, State::Inside) && self.text.len() >= MAX_TEXT {
                // Most of a large body is within texts, such as images.
                let skipped = rest
                    .iter()
                    .position(|byte| ends_text(*byte))
                    .unwrap_or(rest.len());
                if skipped > 0 {
                    rest = rest.get(skipped..).unwrap_or_default();
                    continue;
                }
            }
            rest = after;
            self.state = match self.state {
                State::Outside | State::Ended => self.outside(byte, each),
                State::Inside => self.inside(byte),
                State::Escape if byte == b'u' => State::Unicode(0, 0),
                State::Escape => {
                    self.push(if byte.is_ascii_alphabetic() { b' ' } else { byte });
                    State::Inside
                }
                State::Unicode(digits, value) => self.unicode(byte, digits, value),
            };
        }
    }

    fn outside(&mut self, byte: u8, each: &mut Each<'_>) -> State {
        if byte.is_ascii_whitespace() {
            return self.state;
        }
        if matches!(self.state, State::Ended) {
            if byte == b':' {
                std::mem::swap(&mut self.key, &mut self.text);
                return State::Outside;
            }
            each(self.depth, &self.key, &self.text);
        }
        match byte {
            b'"' => {
                self.text.clear();
                return State::Inside;
            }
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        State::Outside
    }

    fn inside(&mut self, byte: u8) -> State {
        match byte {
            b'"' => State::Ended,
            b'\\' => State::Escape,
            // A quote outside of JSON, such as in a comment of a stream.
            b'\n' | b'\r' => State::Outside,
            _ => {
                self.push(byte);
                State::Inside
            }
        }
    }

    fn unicode(&mut self, byte: u8, digits: u8, value: u32) -> State {
        let Some(digit) = char::from(byte).to_digit(16) else {
            return State::Inside;
        };
        let value = value * 16 + digit;
        if digits < 3 {
            return State::Unicode(digits + 1, value);
        }
        self.push(u8::try_from(value).ok().filter(u8::is_ascii).unwrap_or(b'?'));
        State::Inside
    }

    fn push(&mut self, byte: u8) {
        if self.text.len() < MAX_TEXT {
            self.text.push(byte);
        }
    }
}

/// Whether a byte is more than a part of the text that it is in.
fn ends_text(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'\n' | b'\r')
}
