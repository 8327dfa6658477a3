//! Reads the target of a request: its path and query. Refuses every path that the gateway and the
//! resource might read in two ways.

use std::borrow::Cow;

use super::Refusal;

/// The path and query of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The authority of a target in absolute form: `http://host:port/path`.
    pub(super) authority: Option<&'a str>,
    /// The segments of the path. A slash at the end is dropped.
    pub(super) segments: Vec<&'a str>,
    /// What follows `?`, unchanged.
    pub(super) query: Option<&'a str>,
}

/// Splits a target in origin or absolute form.
pub(super) fn read(target: &str) -> Result<Target<'_>, Refusal> {
    let (authority, rest) = match target.as_bytes() {
        [b'/', ..] => (None, target),
        _ => split_authority(target).ok_or(Refusal::BadPath)?,
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    if !rest.bytes().all(is_allowed) {
        return Err(Refusal::BadPath);
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = if path.is_empty() {
        Vec::new()
    } else {
        path.split('/').collect()
    };
    if segments.iter().any(|segment| segment.is_empty()) || rest.starts_with("//") {
        return Err(Refusal::DoubleSlash);
    }
    if !segments.iter().all(|segment| is_plain(segment)) {
        return Err(Refusal::BadPath);
    }
    Ok(Target {
        authority,
        segments,
        query,
    })
}

/// Splits `http://authority/path`. The path may be missing.
fn split_authority(target: &str) -> Option<(Option<&str>, &str)> {
    let scheme = target.get(..7)?;
    if !scheme.eq_ignore_ascii_case("http://") {
        return None;
    }
    let rest = target.get(7..)?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(at)?;
    Some((Some(authority), path))
}

/// Whether a character may stand in a path or query: RFC 3986, and the brackets, bars and braces
/// that clients leave as they are in queries. No control, white space, quote or backslash.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'#')
}

/// Whether a segment has this name to any reader: case, escapes, parameters, and dots or spaces at
/// its end make no difference.
pub(super) fn is_named(segment: &str, name: &str) -> bool {
    decoded(segment).is_some_and(|bytes| {
        let own = bytes.split(|byte| *byte == b';').next().unwrap_or_default();
        let end = own
            .iter()
            .rposition(|byte| !matches!(byte, b'.' | b' '))
            .map_or(0, |at| at + 1);
        own.get(..end)
            .is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()))
    })
}

/// Decodes the escapes of a segment. `None` if one is incomplete.
fn decoded(segment: &str) -> Option<Cow<'_, [u8]>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment.as_bytes()));
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next())? * 16 + hex(bytes.next())?,
            _ => byte,
        });
    }
    Some(Cow::Owned(decoded))
}

/// Whether a segment is the same to every reader: no dots and spaces alone, no encoded slash, dot,
/// backslash, percent sign or control character, no escapes that are no UTF-8, and no bracket or
/// brace.
fn is_plain(segment: &str) -> bool {
    let Some(decoded) = decoded(segment) else {
        return false;
    };
    // Some servers cut a segment off at `;`, and its end at dots and spaces.
    let name = decoded.split(|byte| *byte == b';').next().unwrap_or_default();
    if name.iter().all(|byte| matches!(byte, b'.' | b' ')) || str::from_utf8(&decoded).is_err() {
        return false;
    }
    if segment
        .bytes()
        .any(|byte| matches!(byte, b'[' | b']' | b'{' | b'}' | b'|'))
    {
        return false;
    }
    // Dots and `;` may stand there, but not escaped.
    !decoded
        .iter()
        .any(|byte| matches!(byte, b'/' | b'\\' | b'%' | b'?' | b'#' | 0..=0x1f | 0x7f))
        && !segment.split('%').skip(1).any(|escape| {
            let digits = escape.get(..2).unwrap_or_default();
            digits.eq_ignore_ascii_case("2e") || digits.eq_ignore_ascii_case("3b")
        })
}

fn hex(byte: Option<u8>) -> Option<u8> {
    match byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        letter @ b'a'..=b'f' => Some(letter - b'a' + 10),
        letter @ b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}
