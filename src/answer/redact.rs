//! Replaces the token that was sent in texts of a server.

/// Shorter texts are not tokens, and may occur in any sentence.
const MIN_TOKEN: usize = 8;

/// The bytes of a character in its longest form: `\u0041`.
const LONGEST_FORM: usize = 6;

/// Returns the first `most` bytes of a text, with `[token]` for the token, also where JSON escapes
/// or percent-encoding hide it. A token that begins before the cut is replaced as a whole. Texts of
/// fewer than 8 bytes are not replaced.
pub(super) fn redact(text: &str, token: &str, most: usize) -> String {
    // The search takes time for the token, too, so short texts return early.
    if token.len() < MIN_TOKEN || text.len().saturating_mul(LONGEST_FORM) < token.len() {
        return head(text, most).to_owned();
    }
    let text = head(
        text,
        most.saturating_add(token.len().saturating_mul(LONGEST_FORM)),
    );
    let (plain, runs) = decoded(text);
    let place = |at: usize| {
        let after = runs.partition_point(|run| run.0 <= at);
        let run = after.checked_sub(1).and_then(|index| runs.get(index));
        run.map_or(0, |(start, place)| place + (at - start))
    };
    let find = |token: &str| {
        let found = plain.match_indices(token);
        found
            .map(|(at, token)| (place(at), place(at + token.len())))
            .collect::<Vec<_>>()
    };
    let mut found = find(token);
    // A percent sign before the token is no escape, but may look like one.
    found.extend(
        text.match_indices(token)
            .map(|(at, token)| (at, at + token.len())),
    );
    // A token with a percent sign or a backslash was decoded, too.
    if token.contains(['%', '\\']) {
        let (token, _) = decoded(token);
        if token.len() >= MIN_TOKEN {
            found.extend(find(&token));
        }
    }
    found.sort_unstable();
    let mut redacted = String::new();
    let mut from = 0;
    for (start, end) in found {
        if start >= most {
            break;
        }
        if start >= from {
            redacted.push_str(text.get(from..start).unwrap_or_default());
            redacted.push_str("[token]");
        }
        from = from.max(end);
    }
    redacted.push_str(head(text, most).get(from..).unwrap_or_default());
    redacted
}

/// Returns the start of a text, at most `most` bytes.
pub(super) fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Returns a text with its escapes replaced by their ASCII characters, and the starts of its runs
/// of plain characters: in it, and in the original.
fn decoded(text: &str) -> (String, Vec<(usize, usize)>) {
    let mut plain = String::with_capacity(text.len());
    let mut runs = vec![(0, 0)];
    let mut from = 0;
    for (at, _) in text.match_indices(['%', '\\']) {
        // The second backslash of a pair is a part of the first one's escape.
        if at < from {
            continue;
        }
        if let Some((character, length)) = text.get(at..).and_then(escaped) {
            plain.push_str(text.get(from..at).unwrap_or_default());
            runs.push((plain.len(), at));
            plain.push(character);
            from = at + length;
            runs.push((plain.len(), from));
        }
    }
    plain.push_str(text.get(from..).unwrap_or_default());
    (plain, runs)
}

/// Returns the ASCII character that an escape at the start of a text stands for, and the length of
/// the escape.
fn escaped(text: &str) -> Option<(char, usize)> {
    let (start, digits) = match text.as_bytes() {
        [b'%', ..] => (1, 2),
        [b'\\', b'u', ..] => (2, 4),
        [b'\\', after @ (b'/' | b'\\' | b'"'), ..] => return Some((char::from(*after), 2)),
        _ => return None,
    };
    let number = text.get(start..start + digits)?;
    let is_hex = number.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = is_hex.then(|| u8::from_str_radix(number, 16).ok())??;
    code.is_ascii().then_some((char::from(code), start + digits))
}
