//! Small pieces of text: what they are made of, and how they are read without the tables that std brings.

pub(crate) mod address;
pub(crate) mod base64;
pub(crate) mod decimal;
pub(crate) mod json;

/// True if the text has no characters but ASCII letters, digits and these.
pub(crate) fn is_made_of(text: &str, others: &[u8]) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
}

/// True for eight, four, four, four and twelve hexadecimal digits with hyphens between.
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
