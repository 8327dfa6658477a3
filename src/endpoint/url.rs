//! Reads the few forms of URL that are valid here. Keeps validated parts only, so every other
//! parser reads a base URL that is built from them in the same way.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::FIND;
use super::hosts::resembles_azure;
use super::pasted::only_the_url;
use super::text::{
    authority, is_digits, is_placeholder_name, is_plain_name, is_unset_value, not_a_url, placeholder,
    show_path, unset_error,
};
use crate::error::error_text;
use crate::text::is_made_of;
use crate::{Code, Error, Result};

/// The supported schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// A URL in validated parts.
#[derive(Debug)]
pub(super) struct Url {
    pub(super) scheme: Scheme,
    /// `None` if the input has no scheme and `scheme` is the default.
    pub(super) given_scheme: Option<Scheme>,
    /// Lower case, without a dot at the end; an IPv6 address is in brackets.
    pub(super) host: String,
    pub(super) trailing_dot: bool,
    pub(super) loopback: bool,
    /// `None` for the default port of the scheme.
    pub(super) port: Option<u16>,
    /// Decoded where that is safe. Empty and dot segments never occur.
    pub(super) segments: Vec<String>,
    /// Whether the path ends in a slash.
    pub(super) trailing_slash: bool,
    /// The query and fragment, with the leading `?` or `#`.
    pub(super) query: Option<String>,
}

impl Url {
    /// Returns `https://host:port`, without a slash at the end.
    pub(super) fn origin(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }
}

/// Parses a text that [`super::pasted::unwrap`] has cleaned.
pub(super) fn read(text: &str) -> Result<Url> {
    let (given, rest) = split_scheme(text)?;
    let authority = authority(rest);
    let (host, port) = split_port(authority)?;
    if let Some(c) = host.chars().find(|c| !c.is_ascii()) {
        return Err(not_ascii(host, c));
    }
    let lower = host.to_ascii_lowercase();
    let (host, loopback) = match lower.strip_prefix('[') {
        Some(inner) => ipv6(inner)?,
        None => named_host(lower.strip_suffix('.').unwrap_or(&lower))?,
    };
    if given.is_none() && !loopback && !host.as_bytes().contains(&b'.') {
        return Err(bare_word(&host));
    }
    let scheme = given.unwrap_or(if loopback { Scheme::Http } else { Scheme::Https });
    let default = if scheme == Scheme::Http { 80 } else { 443 };

    let tail = rest.get(authority.len()..).unwrap_or_default();
    let at = tail.find(['?', '#']).unwrap_or(tail.len());
    let (path, query) = tail.split_at_checked(at).unwrap_or((tail, ""));
    Ok(Url {
        scheme,
        given_scheme: given,
        host,
        trailing_dot: lower.ends_with('.'),
        loopback,
        port: port.filter(|port| *port != default),
        segments: segments(path)?,
        trailing_slash: path.ends_with('/'),
        query: (!query.is_empty()).then(|| query.to_owned()),
    })
}

fn split_scheme(text: &str) -> Result<(Option<Scheme>, &str)> {
    let Some((before, after)) = text.split_once(':') else {
        return match text.strip_prefix("//") {
            Some(rest) => Ok((None, rest)),
            None => Ok((None, text)),
        };
    };
    let is_scheme = before.starts_with(|c: char| c.is_ascii_alphabetic()) && is_made_of(before, b"+-.");
    if !is_scheme {
        return Ok((None, text.strip_prefix("//").unwrap_or(text)));
    }
    let known = match before.to_ascii_lowercase().as_str() {
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        _ => None,
    };
    match (known, after.strip_prefix("//")) {
        (Some(_), Some(rest)) if is_scheme_again(rest) => Err(not_a_url(
            "The endpoint has its scheme twice, as in https://https://.",
        )
        .hint(only_the_url(&text.to_ascii_lowercase()))),
        (Some(scheme), Some(rest)) => Ok((Some(scheme), rest)),
        (Some(_), None) => Err(not_a_url(error_text!(
            "The endpoint begins with \"{before}:\" without two slashes."
        ))
        .hint(only_the_url(&error_text!(
            "://{}",
            after.trim_start_matches('/').to_ascii_lowercase()
        )))),
        // host:port without a scheme
        (None, None)
            if before.as_bytes().contains(&b'.')
                || before.eq_ignore_ascii_case("localhost")
                || starts_with_port(after) =>
        {
            Ok((None, text))
        }
        // user:password@host
        (None, None)
            if authority(after).as_bytes().contains(&b'@') && !before.eq_ignore_ascii_case("mailto") =>
        {
            Ok((None, text))
        }
        (None, _) => Err(unsupported_scheme(before, text)),
    }
}

fn is_scheme_again(rest: &str) -> bool {
    let lower = rest.get(..8).unwrap_or(rest).to_ascii_lowercase();
    ["http:", "https:", "http//", "https//"]
        .iter()
        .any(|again| lower.starts_with(again))
}

fn starts_with_port(text: &str) -> bool {
    let port = text.split(['/', '?', '#']).next().unwrap_or_default();
    !port.is_empty() && is_digits(port)
}

fn unsupported_scheme(scheme: &str, text: &str) -> Error {
    let repair = only_the_url(&text.to_ascii_lowercase());
    let scheme = if is_plain_name(scheme) { scheme } else { "***" };
    Error::new(
        Code::EndpointUnsupportedScheme,
        error_text!(
            "The endpoint's scheme is \"{scheme}:\"; expected \"https:\" (or \"http:\" on this machine)."
        ),
    )
    .hint(error_text!("Begin the endpoint with https://. {repair}"))
}

/// Splits an authority into host and port.
fn split_port(authority: &str) -> Result<(&str, Option<u16>)> {
    if let Some((_, host)) = authority.rsplit_once('@') {
        let host = if host.as_bytes().contains(&b'.') && is_plain_name(host) {
            host
        } else {
            "what follows"
        };
        return Err(Error::new(
            Code::EndpointUserinfo,
            error_text!("The endpoint holds an \"@\" in front of its path: its real host would be {host}, not the text before."),
        )
        .hint(error_text!("Give the resource's own address. A user name and a password are not needed: a token takes their place. {FIND}")));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.as_bytes().contains(&b']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err(not_a_url("The endpoint names no host."));
    }
    let port = match port {
        None => None,
        Some(port) if (1..=5).contains(&port.len()) && is_digits(port) => Some(
            port.parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(bad_port)?,
        ),
        Some(_) => return Err(bad_port()),
    };
    Ok((host, port))
}

fn bad_port() -> Error {
    not_a_url(
        "What follows the colon behind the endpoint's host is not a port; expected a number from 1 to 65535.",
    )
}

fn ipv6(inner: &str) -> Result<(String, bool)> {
    let address: Ipv6Addr = inner
        .strip_suffix(']')
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| not_a_url("The endpoint's host is in brackets but is no IPv6 address."))?;
    let loopback = address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback());
    Ok((format!("[{address}]"), loopback))
}

/// Checks a host name by the rules of DNS, or by those of IPv4 if it ends in a number.
fn named_host(host: &str) -> Result<(String, bool)> {
    let first = host.split('.').next().unwrap_or_default();
    if is_unset_value(first) {
        return Err(unset_error(first));
    }
    if is_placeholder_name(first) {
        return Err(placeholder(&error_text!(
            "The endpoint's host still holds the placeholder \"{first}\""
        )));
    }
    if let Some(c) = host
        .bytes()
        .find(|b| !b.is_ascii_lowercase() && !b.is_ascii_digit() && !b"-.".contains(b))
    {
        return Err(not_a_url(error_text!(
            "The endpoint's host holds the character \"{}\"; a host has letters, digits, hyphens and dots only.",
            char::from(c)
        )));
    }
    let labels: Vec<&str> = host.split('.').collect();
    if labels
        .iter()
        .any(|label| label.is_empty() || label.starts_with('-') || label.ends_with('-'))
    {
        return Err(not_a_url(
            "The endpoint's host has two dots in a row, a dot in front, or a name that begins or ends with a hyphen.",
        ));
    }
    if host.len() > 253 || labels.iter().any(|label| label.len() > 63) {
        return Err(not_a_url(
            "The endpoint's host is too long; a name in it has at most 63 characters.",
        ));
    }
    let last = labels.last().copied().unwrap_or_default();
    let numeric = is_digits(last)
        || last
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if numeric {
        let address: Ipv4Addr = host.parse().map_err(|_| {
            not_a_url("The endpoint's host ends in a number but is no IPv4 address of four decimal parts, such as 127.0.0.1.")
        })?;
        // An address that parses is already normalized.
        return Ok((host.to_owned(), address.is_loopback()));
    }
    Ok((host.to_owned(), last == "localhost"))
}

fn not_ascii(host: &str, c: char) -> Error {
    if resembles_azure(host) {
        return Error::new(
            Code::EndpointLookalike,
            error_text!(
                "The endpoint's host resembles an Azure host but holds the character U+{:04X}, which no Azure host has.",
                u32::from(c)
            ),
        )
        .hint("Do not send a token there. Type the host by hand, or copy it from Azure portal > your resource > Keys and Endpoint.");
    }
    Error::new(
        Code::EndpointNotAUrl,
        error_text!(
            "The endpoint's host holds the character U+{:04X}; expected ASCII letters only.",
            u32::from(c)
        ),
    )
    .hint("If the name is right, give it in its punycode form, which begins with \"xn--\".")
}

fn bare_word(word: &str) -> Error {
    let error = not_a_url("The endpoint is a single word, not a URL; expected https:// and a host.");
    // A longer word may be a key, so do not repeat it.
    if word.len() > 24 || matches!(word, "http" | "https") {
        return error;
    }
    error.hint(error_text!(
        "If \"{word}\" is the name of your resource, try https://{word}.openai.azure.com."
    ))
}

/// Splits a path into decoded segments.
fn segments(path: &str) -> Result<Vec<String>> {
    let mut segments: Vec<String> = Vec::new();
    let mut gap = false;
    for raw in path.split('/') {
        if raw.is_empty() {
            gap = true;
            continue;
        }
        // Otherwise /projects//openai/v1 would be the project "openai".
        if std::mem::take(&mut gap)
            && let Some(last) = segments.last()
        {
            if last.eq_ignore_ascii_case("projects") {
                return Err(missing_project());
            }
            if last.eq_ignore_ascii_case("deployments") {
                return Err(bad_path(
                    "The endpoint's path has no deployment's name between /deployments/ and the next slash.",
                ));
            }
        }
        if is_unset_value(&raw.to_ascii_lowercase()) {
            return Err(unset_error(raw));
        }
        let segment = decode(raw)?;
        if segment == "." || segment == ".." {
            return Err(bad_path(
                "The endpoint's path holds \".\" or \"..\"; expected a path without detours.",
            ));
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Decodes the unreserved characters of RFC 3986; writes every other escape in upper case.
fn decode(raw: &str) -> Result<String> {
    let mut decoded = String::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            // A comma at the end would count as punctuation when the base URL is parsed again.
            let comma = byte == b',' && bytes.len() > 0;
            if !(byte.is_ascii_alphanumeric() || b"-._~:@+".contains(&byte) || comma) {
                return Err(bad_path(
                    "The endpoint's path holds a character that no Foundry route has.",
                ));
            }
            decoded.push(char::from(byte));
            continue;
        }
        let mut digit = || {
            bytes
                .next()
                .map(char::from)
                .and_then(|c| c.to_digit(16))
                .and_then(|d| u8::try_from(d).ok())
        };
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(bad_path(
                "The endpoint's path holds a \"%\" that is not followed by two hexadecimal digits.",
            ));
        };
        let value = high << 4 | low;
        if value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
            decoded.push(char::from(value));
        } else if value < 0x20 || value == 0x7f || b"/\\%?#".contains(&value) {
            return Err(bad_path(
                "The endpoint's path holds an encoded slash, backslash, percent sign, delimiter or control character.",
            ));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(decoded, "%{value:02X}");
        }
    }
    Ok(decoded)
}

pub(super) fn missing_project() -> Error {
    Error::new(
        Code::EndpointMissingProject,
        "The endpoint's path holds no project's name; expected /api/projects/<project>.",
    )
    .hint("Copy the endpoint from the Foundry portal (ai.azure.com) > your project > Overview, or leave the path out.")
}

#[inline]
pub(super) fn bad_path(message: impl Into<String>) -> Error {
    Error::new(Code::EndpointBadPath, message).hint(
        "Leave the path out: the host alone is enough. For a Foundry project, keep only /api/projects/<project>.",
    )
}

/// The error for a well-formed path that matches no route.
pub(super) fn unknown_path(segments: &[String], expected: &str) -> Error {
    bad_path(error_text!(
        "The endpoint's path is {}; expected {expected}.",
        show_path(segments)
    ))
}
