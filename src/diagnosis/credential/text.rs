//! Prepares the text of an error for the search: without escapes, in lower case, on one line.

/// The longest part of an error to search, in bytes.
const MAX_TEXT: usize = 65_536;

/// Returns the start of a text, at most `most` bytes.
pub(super) fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Resolves the escapes of JSON and HTML that occur in errors within errors, and typographic
/// quotes. Keeps lines.
pub(super) fn plain(text: &str) -> String {
    let mut plain = head(text, MAX_TEXT).to_owned();
    for (escape, character) in [
        ("\\\\", "\\"),
        ("\\r\\n", "\n"),
        ("\\n", "\n"),
        ("\\r", "\n"),
        ("\\t", " "),
        ("\\\"", "\""),
        ("\\/", "/"),
        ("\\u0027", "'"),
        ("\\u0022", "\""),
        ("&#39;", "'"),
        ("&quot;", "\""),
        // Terraform draws a frame around errors.
        ("\u{2502}", " "),
        ("\u{2019}", "'"),
        ("\u{2018}", "'"),
        ("\u{201c}", "\""),
        ("\u{201d}", "\""),
    ] {
        if plain.contains(escape) {
            plain = plain.replace(escape, character);
        }
    }
    plain
}

/// Returns a text on one line with single spaces, in lower case, without contractions (`is not`
/// instead of `isn't`), and without the links to Microsoft's troubleshooting pages, whose addresses
/// name credentials.
pub(super) fn searchable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_ascii_whitespace() {
        if word.contains("://aka.ms/") {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    // A phrase may require that a sentence ends.
    line.push(' ');
    line.make_ascii_lowercase();
    line.replace("can't", "cannot").replace("n't", " not")
}

/// Returns the HTTP status that a text in lower case names: `status: 503`, `status code was 503`,
/// `http 503`, `<response [503]>`.
pub(super) fn status_in(line: &str) -> Option<u16> {
    ["status", "http ", "response ["].iter().find_map(|label| {
        line.match_indices(label).find_map(|(at, _)| {
            let rest = line.get(at + label.len()..)?;
            let start = rest.bytes().take(17).position(|byte| byte.is_ascii_digit())?;
            let digits = rest.get(start..start + 3)?;
            let ends = !rest.as_bytes().get(start + 3).is_some_and(u8::is_ascii_digit);
            digits
                .parse()
                .ok()
                .filter(|status| ends && (400..600).contains(status))
        })
    })
}

/// Whether a text ends in a terminal's code of a color, such as `[31;1m`, which may have lost its start.
fn ends_color(text: &str) -> bool {
    text.strip_suffix('m').is_some_and(|code| {
        let numbers = code.trim_end_matches(|c: char| c.is_ascii_digit());
        numbers.len() < code.len() && numbers.ends_with(['[', ';'])
    })
}

/// The longest distance between two parts of a phrase, in bytes.
const MAX_GAP: usize = 160;

/// Whether a text contains the parts of a phrase, one after the other. A phrase begins at the start
/// of a word: `enotfound` is not in `FileNotFound`.
pub(super) fn contains(text: &str, phrase: &str) -> bool {
    let (first, rest) = phrase.split_once('*').unwrap_or((phrase, ""));
    let is_word = first.starts_with(|c: char| c.is_ascii_alphanumeric());
    text.match_indices(first).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        if is_word && before.ends_with(|c: char| c.is_ascii_alphanumeric()) && !ends_color(before) {
            return false;
        }
        let after = text.get(at + first.len()..).unwrap_or_default();
        let near = head(after, MAX_GAP);
        rest.split('*')
            .try_fold(near, |left, part| left.split_once(part).map(|(_, right)| right))
            .is_some()
    })
}
