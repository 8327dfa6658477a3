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
