//! Helpers for the text of an endpoint: redaction, placeholders and their errors.

use super::FIND;
use crate::error::error_text;
use crate::text::is_made_of;
use crate::{Code, Error};

/// Returns the input in a form that may be shown: trimmed, and without query values other than that
/// of `api-version`. User information, keys and connection strings never get here, because
/// [`super::parse`] rejects them.
pub(super) fn redact(input: &str) -> String {
    let text = trim(input);
    let path = before_query(text);
    let mut shown = path.to_owned();
    let rest = text.get(path.len()..).unwrap_or_default();
    let (query, fragment) = rest
        .split_once('#')
        .map_or((rest, false), |(query, _)| (query, true));
    if let Some(query) = query.strip_prefix('?') {
        let shown_query: Vec<String> = query.split('&').map(redact_parameter).collect();
        shown.push('?');
        shown.push_str(&shown_query.join("&"));
    }
    if fragment {
        shown.push_str("#***");
    }
    shown
}

/// Whether the name is a placeholder from a guide. `my-resource`, `contoso`, `example` and other
/// names that a resource may really have are not.
pub(super) fn is_placeholder_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let joined: String = lower.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    if joined.len() >= 3 && joined.chars().all(|c| c == 'x') {
        return true;
    }
    if matches!(
        joined.as_str(),
        "resourcename" | "foundryresourcename" | "changeme" | "replaceme"
    ) || is_foreign_placeholder(&joined)
    {
        return true;
    }
    // A host contains no underscore, so MY_RESOURCE is a placeholder, while my-resource may be
    // real.
    let own = ["your", "insertyour", "enteryour", "replacewithyour"]
        .iter()
        .find_map(|start| joined.strip_prefix(start))
        .or_else(|| {
            joined
                .strip_prefix("my")
                .filter(|_| lower.as_bytes().contains(&b'_'))
        });
    own.is_some_and(|rest| !rest.is_empty() && rest.len() <= 63 && is_made_of_words(rest))
}

/// Whether guides in Spanish, Portuguese, French, German or Italian use the name. English words may follow
/// `tu` or `su` in a real one: these are initials of universities.
fn is_foreign_placeholder(joined: &str) -> bool {
    ["recurso", "ressource", "risorsa"].iter().any(|noun| {
        let own = joined.strip_suffix(noun);
        own.is_some_and(|own| matches!(own, "tu" | "su" | "seu" | "votre" | "deine" | "ihre" | "nome"))
    })
}

/// Whether the text consists of words that guides use for the names of a user.
fn is_made_of_words(text: &str) -> bool {
    const WORDS: [&str; 40] = [
        "resource",
        "foundry",
        "project",
        "openai",
        "azure",
        "aoai",
        "ai",
        "cognitive",
        "services",
        "service",
        "endpoint",
        "name",
        "account",
        "custom",
        "subdomain",
        "domain",
        "deployment",
        "model",
        "instance",
        "hub",
        "unique",
        "own",
        "here",
        "api",
        "apim",
        "management",
        "gateway",
        "host",
        "server",
        "proxy",
        "base",
        "url",
        "region",
        "company",
        "organization",
        "org",
        "tenant",
        "workspace",
        "app",
        "id",
    ];
    // The ends of the words so far. One word may begin another, such as "api" and "apim".
    let mut ends = vec![false; text.len() + 1];
    if let Some(start) = ends.first_mut() {
        *start = true;
    }
    for at in 0..text.len() {
        if ends.get(at) != Some(&true) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        for word in WORDS.iter().filter(|word| rest.starts_with(**word)) {
            if let Some(end) = ends.get_mut(at + word.len()) {
                *end = true;
            }
        }
    }
    ends.last() == Some(&true)
}

/// Whether the text is `undefined`, `null` or `[object Object]`: an unset variable in a template
/// string.
pub(super) fn is_unset_value(text: &str) -> bool {
    matches!(
        text,
        "undefined" | "null" | "[object object]" | "[object%20object]" | "%5bobject%20object%5d"
    )
}

pub(super) fn unset_error(value: &str) -> Error {
    Error::new(
        Code::EndpointNotAUrl,
        error_text!(
            "The endpoint holds the word \"{value}\" in place of a name; a variable that it is built from, probably \
             FOUNDRY_RESOURCE_URL, is not set."
        ),
    )
    .hint("Set FOUNDRY_RESOURCE_URL=https://<your-resource>.openai.azure.com, or print the variable that you paste in.")
}

#[inline]
pub(super) fn placeholder(what: &str) -> Error {
    Error::new(
        Code::EndpointPlaceholder,
        error_text!("{what}; expected your own name in its place."),
    )
    .hint(FIND)
}

#[inline]
pub(super) fn not_a_url(message: impl Into<String>) -> Error {
    Error::new(Code::EndpointNotAUrl, message).hint(error_text!(
        "Expected a URL such as https://<your-resource>.openai.azure.com. {FIND}"
    ))
}

pub(super) fn arm_id(text: &str) -> Error {
    let mut segments = text
        .split(['/', '?', '#'])
        .skip_while(|s| !s.eq_ignore_ascii_case("accounts"))
        .skip(1);
    let account = segments
        .next()
        .filter(|name| is_plain_name(name) && !name.starts_with('-'))
        .unwrap_or("<name>");
    Error::new(
        Code::EndpointArmId,
        "The endpoint is an Azure Resource Manager id, which names a resource but is not its address.",
    )
    .hint(error_text!(
        "Ask for the address: az cognitiveservices account show --name {account} --resource-group <group> --query \
         properties.endpoint --output tsv"
    ))
}

/// Whether the name is fit for a message: letters, digits, dots, hyphens and underscores, and too
/// short for a key.
pub(super) fn is_plain_name(name: &str) -> bool {
    (1..=30).contains(&name.len()) && is_made_of(name, b"-._~")
}

/// Whether all characters are ASCII digits.
pub(super) fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Formats a path for a message, with possible secrets masked.
pub(super) fn show_path(segments: &[String]) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.push_str(if is_plain_name(segment) { segment } else { "***" });
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Returns the text in front of `?` or `#`.
pub(super) fn before_query(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or_default()
}

/// Returns the text in front of the path.
pub(super) fn authority(text: &str) -> &str {
    text.split(['/', '?', '#']).next().unwrap_or_default()
}

pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn redact_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("api-version") && is_plain_name(value) => {
            parameter.to_owned()
        }
        Some((name, _)) if is_plain_name(name) => format!("{name}=***"),
        _ => "***".to_owned(),
    }
}

/// Returns the API version in a query.
pub(super) fn api_version(query: &str) -> Option<&str> {
    let query = query.strip_prefix('?')?.split('#').next()?;
    query.split('&').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.eq_ignore_ascii_case("api-version") && is_plain_name(value)).then_some(value)
    })
}
