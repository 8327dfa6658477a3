//! Remembers which resource made an id or an encrypted text: only that one can read it.

use std::collections::BTreeMap;

use super::scan::Scanner;

/// How many marks a generation holds. Two are kept: the last 16,384 to 32,768 marks.
const GENERATION: usize = 16_384;

/// How much of an encrypted text tells it from all others: its head has a time and random bytes.
const ENCRYPTED_HEAD: usize = 128;

/// A hash of an id, or of the head of an encrypted text.
pub(super) type Mark = u64;

/// The resource that made each mark. Forgets the oldest ones.
#[derive(Debug, Default)]
pub(super) struct Marks {
    current: BTreeMap<Mark, usize>,
    before: BTreeMap<Mark, usize>,
}

impl Marks {
    pub(super) fn remember(&mut self, mark: Mark, resource: usize) {
        self.current.insert(mark, resource);
        if self.current.len() >= GENERATION {
            self.before = std::mem::take(&mut self.current);
        }
    }

    /// Returns the resource that made the mark. A mark that is in use is not forgotten.
    pub(super) fn find(&mut self, mark: Mark) -> Option<usize> {
        if let Some(resource) = self.current.get(&mark) {
            return Some(*resource);
        }
        let resource = *self.before.get(&mark)?;
        self.remember(mark, resource);
        Some(resource)
    }

    /// Takes over what another memory holds. `resource` translates its numbers.
    pub(super) fn adopt(&mut self, other: &Self, resource: impl Fn(usize) -> Option<usize>) {
        for (mark, old) in other.before.iter().chain(&other.current) {
            if let Some(new) = resource(*old) {
                self.remember(*mark, new);
            }
        }
    }
}

/// Reads the marks of an answer as it passes.
#[derive(Debug, Default)]
pub struct AnswerReader(Scanner);

impl AnswerReader {
    pub(super) fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(Mark)) {
        self.0.feed(bytes, &mut |_, key, text| {
            if is_encrypted(key, text) || (key == b"id" && is_id(text)) {
                each(mark(key, text));
            }
        });
    }
}

/// Whether a member is reasoning that its resource alone can read.
pub(super) fn is_encrypted(key: &[u8], text: &[u8]) -> bool {
    key == b"encrypted_content" && text.len() >= 16
}

/// Whether a text has the form of a stored object's id, such as `resp_68a1...` or `file-Ab12...`:
/// the letters of its kind, and eight or more characters behind `_` or `-`.
pub(super) fn is_id(text: &[u8]) -> bool {
    let kind = text.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let is_of_ids = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (2..=16).contains(&kind)
        && (kind + 9..=128).contains(&text.len())
        && matches!(text.get(kind), Some(b'_' | b'-'))
        && text.iter().all(is_of_ids)
}

/// The mark of an id, or of an encrypted text. FNV-1a.
pub(super) fn mark(key: &[u8], text: &[u8]) -> Mark {
    let length = if is_encrypted(key, text) {
        text.len().min(ENCRYPTED_HEAD)
    } else {
        text.len()
    };
    hash(text.get(..length).unwrap_or(text))
}

/// FNV-1a.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
