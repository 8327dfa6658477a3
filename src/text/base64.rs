//! Decodes the base64 of tokens and challenges.

/// Decodes base64 in either alphabet. Padding is optional, and stray last bits are ignored.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let due = digits.len().next_multiple_of(4) - digits.len();
    if due == 3 || text.len() - digits.len() > due {
        return None;
    }
    let mut decoded = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        let mut bits = 0;
        for digit in group {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'-' | b'+' => 62,
                b'_' | b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        let [_, bytes @ ..] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        decoded.extend(bytes.iter().take(group.len() - 1));
    }
    Some(decoded)
}
