//! Cleans the pasted text before it is read as a URL: white space, quotes, placeholders, unset
//! variables and texts that people paste by mistake.

use super::hosts::classify;
use super::text::{arm_id, authority, before_query, is_invisible, not_a_url, placeholder, trim, unset_error};
use super::{FIND, Kind};
use crate::error::{TEXTS, error_text};
use crate::text::{contains, is_made_of, split_once};
use crate::{Code, Error, Result};

/// The longest input, in characters. Real endpoints are far shorter.
const LONGEST: usize = 2_048;

/// Removes the wrapping of a copied text. Returns true if it removed quotes, brackets or
/// punctuation. No valid endpoint ends in a comma or semicolon.
pub(super) fn unwrap(input: &str) -> Result<(&str, bool)> {
    let length = input.chars().count();
    if length > LONGEST {
        return Err(not_a_url(error_text!(
            "The endpoint is {length} characters long; an endpoint has at most {LONGEST}."
        )));
    }
    let bare = trim(input);
    let mut text = bare;
    loop {
        let bare = trim(text).trim_end_matches([',', ';']);
        let inner = unbracket(bare.trim_matches(is_quote));
        if inner == text {
            break;
        }
        text = inner;
    }
    if text.is_empty() {
        return Err(Error::new(
            Code::EndpointEmpty,
            "The endpoint is empty; expected a URL such as https://<your-resource>.openai.azure.com.",
        )
        .hint(error_text!(
            "If it comes from an environment variable, check that the variable is set. {FIND}"
        )));
    }
    Ok((text, text.len() != bare.len()))
}

/// Rejects texts that are recognizably not a URL, each with its own hint.
pub(super) fn reject_non_urls(text: &str) -> Result<()> {
    let lower = text.to_ascii_lowercase();
    if let Some(value) = unset(&lower) {
        return Err(unset_error(value));
    }
    if looks_like_token(text) {
        return Err(not_a_url(
            "The endpoint looks like an access token, not like a URL; it is not repeated here.",
        ));
    }
    if let Some(name) = assignment(text) {
        return Err(Error::new(
            Code::EndpointNotAUrl,
            error_text!(
                "The endpoint is a whole line \"{name}=...\"; expected only the URL behind the equals sign."
            ),
        )
        .hint(error_text!(
            "Leave out the variable's name, \"export\" and the equals sign. {}",
            only_the_url(&lower)
        )));
    }
    if is_connection_string(&lower) {
        return Err(Error::new(
            Code::EndpointConnectionString,
            "The endpoint is a connection string; expected only the URL of the resource. The text is not repeated here.",
        )
        .hint(error_text!(
            "Give no key: the token takes its place. {}",
            only_the_url(&lower)
        )));
    }
    if is_arm_id(lower.trim_start_matches('/')) {
        return Err(arm_id(text));
    }
    let more = if has_other_text(before_query(&lower)) {
        "more than a URL"
    } else if text.contains(|c: char| c.is_control() || is_invisible(c)) {
        "a control character or an invisible character"
    } else {
        ""
    };
    if !more.is_empty() {
        return Err(impure(more, &lower));
    }
    if is_placeholder_markup(before_query(text)) {
        let error =
            placeholder("The endpoint still holds a placeholder (<...>, {...}, [...], $NAME or %NAME%)");
        let path_only = !is_placeholder_markup(authority(after_scheme(text)));
        return Err(if path_only {
            error.hint(only_the_url(&lower))
        } else {
            error
        });
    }
    if text.contains(char::is_whitespace) {
        return Err(impure("white space", &lower));
    }
    if text.as_bytes().contains(&b'\\') {
        return Err(not_a_url(
            "The endpoint holds a backslash; a URL has forward slashes only.",
        ));
    }
    Ok(())
}

fn is_quote(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '`' | '\u{ab}' | '\u{b4}' | '\u{bb}' | '\u{2018}'
            ..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{300c}' | '\u{300d}' | '\u{ff02}' | '\u{ff07}'
    )
}

/// Removes the brackets of `<https://...>`; keeps `<my-resource>` and `<a>.openai.azure.com/<b>`.
fn unbracket(text: &str) -> &str {
    text.strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'))
        .filter(|inner| !inner.contains(['<', '>']) && inner.contains(['.', ':']))
        .unwrap_or(text)
}

fn unset(lower: &str) -> Option<&'static str> {
    let rest = split_once(lower, "://").map_or(lower, |(_, rest)| rest);
    if rest.starts_with("[object ") || rest.starts_with("[object%20") || rest.starts_with("%5bobject") {
        return Some("[object Object]");
    }
    let host = authority(rest);
    let first = host.split(['.', ':', '@']).next().unwrap_or_default();
    match (first, host) {
        ("undefined", _) => Some("undefined"),
        ("null", _) => Some("null"),
        (_, "nan") => Some("NaN"),
        ("none", _) => Some("None"),
        _ => None,
    }
}

fn is_placeholder_markup(text: &str) -> bool {
    if text.contains(['<', '>', '{', '}', '$']) || authority(after_scheme(text)).as_bytes().contains(&b'*') {
        return true;
    }
    // [resource], but not the [::1] of an IPv6 address
    if let Some((_, rest)) = text.split_once('[') {
        let inner = rest.split(']').next().unwrap_or_default();
        if !inner.as_bytes().contains(&b':') {
            return true;
        }
    }
    // %NAME%, but not the percent-encoded %C3%A9
    let mut pieces = text.split('%').skip(1).peekable();
    while let Some(piece) = pieces.next() {
        let Some(next) = pieces.peek() else { break };
        let name = piece.len() >= 3
            && piece.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && is_made_of(piece, b"_");
        if name && !(starts_with_hex_pair(piece) && starts_with_hex_pair(next)) {
            return true;
        }
    }
    false
}

fn starts_with_hex_pair(text: &str) -> bool {
    text.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2
}

fn after_scheme(text: &str) -> &str {
    split_once(text, "://").map_or(text, |(_, rest)| rest)
}

fn looks_like_token(text: &str) -> bool {
    let text = text.strip_prefix("Bearer ").unwrap_or(text);
    text.starts_with("eyJ") && text.len() > 40 && !text.as_bytes().contains(&b'/')
}

/// Returns the variable's name if the text is a line such as `export NAME="https://..."`.
fn assignment(text: &str) -> Option<&str> {
    let text = ["export ", "set ", "setx ", "$env:"]
        .iter()
        .find_map(|p| text.strip_prefix(p))
        .unwrap_or(text);
    let (name, _) = text.split_once('=')?;
    let name = name.trim();
    let is_name = name.as_bytes().contains(&b'_')
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    (is_name && name.len() <= 64).then_some(name)
}

fn is_connection_string(lower: &str) -> bool {
    const NAMES: [&str; 10] = [
        "endpoint",
        "defaultendpointsprotocol",
        "key",
        "accesskey",
        "accountkey",
        "apikey",
        "sharedaccesskey",
        "instrumentationkey",
        "accountname",
        "accountendpoint",
    ];
    let workspace = contains(lower, ".api.azureml.") && lower.as_bytes().contains(&b';');
    workspace
        || lower.split(';').any(|part| {
            part.split_once('=')
                .is_some_and(|(name, _)| NAMES.contains(&name.trim()))
        })
}

/// Whether the text is an ARM id, or the end of one, without a slash in front.
fn is_arm_id(lower: &str) -> bool {
    [
        "subscriptions/",
        "resourcegroups/",
        "providers/",
        "microsoft.cognitiveservices/",
    ]
    .iter()
    .any(|start| lower.starts_with(start))
}

/// Whether there is text in front of the URL or another URL behind it, as in a line of JSON,
/// Markdown or a script. A host and path in front of it do not count; [`super::site`] checks those.
fn has_other_text(lower: &str) -> bool {
    let front = split_once(lower, "://").and_then(|(before, _)| {
        before
            .strip_suffix("https")
            .or_else(|| before.strip_suffix("http"))
    });
    front.is_some_and(|front| !front.as_bytes().contains(&b'/') && !is_made_of(front, b"+-."))
        || lower
            .split([',', ';', '|'])
            .skip(1)
            .any(|part| part.starts_with("http"))
}

fn impure(what: &str, lower: &str) -> Error {
    Error::new(
        Code::EndpointNotAUrl,
        error_text!("The endpoint holds {what}; expected a URL and nothing else."),
    )
    .hint(only_the_url(lower))
}

/// Returns a hint that names the address of the resource in a text.
pub(super) fn only_the_url(lower: &str) -> String {
    if !TEXTS {
        return String::new();
    }
    match resource_url(lower) {
        Some(url) => format!("Give only the URL in it, which begins with {url}."),
        None => format!("Give only a URL such as https://<your-resource>.openai.azure.com. {FIND}"),
    }
}

/// Returns the address of the URL in a text, if its host is that of a resource. No hint recommends
/// any other host.
pub(super) fn resource_url(lower: &str) -> Option<String> {
    let mut hosts = lower
        .split("://")
        .skip(1)
        .map(|rest| {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.')
                .unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default()
        })
        // A scheme that is there twice.
        .filter(|host| !matches!(*host, "http" | "https"));
    let host = hosts.next()?;
    let known =
        hosts.all(|other| other == host) && classify(host, "").is_ok_and(|site| site.kind != Kind::Custom);
    known.then(|| format!("https://{host}"))
}
