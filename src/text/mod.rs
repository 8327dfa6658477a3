//! Small text helpers, without the tables of std.

pub(crate) mod address;
pub(crate) mod base64;
pub(crate) mod json;
pub(crate) mod json_walk;
pub(crate) mod number;

/// Whether all characters are ASCII letters, digits or in `others`.
pub(crate) fn is_made_of(text: &str, others: &[u8]) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
}

/// Returns the position of a word, which is not empty. The search of std would add 10 KB to a WebAssembly
/// module: its panics quote texts, with a table of the printable characters. `str::contains` of a character
/// uses it too, so search the bytes for one.
pub(crate) fn find(text: &str, word: &str) -> Option<usize> {
    text.as_bytes()
        .windows(word.len())
        .position(|part| part == word.as_bytes())
}

/// Whether a text contains a word.
pub(crate) fn contains(text: &str, word: &str) -> bool {
    find(text, word).is_some()
}

/// Returns the texts in front of a word and behind it.
pub(crate) fn split_once<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let (before, rest) = text.split_at_checked(find(text, word)?)?;
    Some((before, rest.get(word.len()..)?))
}

/// Whether the text is a GUID: eight, four, four, four and twelve hexadecimal digits with hyphens
/// between.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| {
            if matches!(i, 8 | 13 | 18 | 23) {
                b == b'-'
            } else {
                b.is_ascii_hexdigit()
            }
        })
}
