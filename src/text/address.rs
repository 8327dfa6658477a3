//! Reads the addresses of settings that a secret is sent to. Strict, so that the checked host is
//! the host that receives the request.

use std::net::Ipv6Addr;

use super::{is_made_of, split_once};

/// The parts of an `http` or `https` URL.
pub(crate) struct Address<'a> {
    /// Whether the scheme is `https`.
    pub(crate) secure: bool,
    /// The host, without the port; an IPv6 address in brackets.
    pub(crate) host: &'a str,
    /// The path and the query.
    pub(crate) path: &'a str,
}

impl<'a> Address<'a> {
    /// Reads a URL. `None` for any other text, and for a URL with user information or with a
    /// character that URL parsers treat differently.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (scheme, rest) = split_once(text, "://")?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        Self::without_scheme(rest).map(|address| Self { secure, ..address })
    }

    /// Reads the part after the scheme.
    pub(crate) fn without_scheme(rest: &'a str) -> Option<Self> {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.as_bytes().contains(&b']') => (host, Some(port)),
            _ => (authority, None),
        };
        let well_formed = is_host(host) && port.is_none_or(is_port) && is_made_of(path, b"-._~:/?=&%");
        well_formed.then_some(Self {
            secure: false,
            host,
            path,
        })
    }

    /// Whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        matches!(self.host, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Whether the URL has neither path nor query.
    pub(crate) fn is_host_alone(&self) -> bool {
        matches!(self.path, "" | "/")
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    host.len() <= 253
        && host
            .split('.')
            .all(|label| label.starts_with(|c: char| c.is_ascii_alphanumeric()) && is_made_of(label, b"-_"))
}

fn is_port(port: &str) -> bool {
    is_made_of(port, b"") && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Whether a text is a tenant: a GUID or a full domain. It becomes a part of a path.
pub(crate) fn is_tenant(text: &str) -> bool {
    text.len() <= 253
        && text
            .split('.')
            .all(|label| !label.is_empty() && is_made_of(label, b"-"))
}

/// Whether a text may be the client id of an application: visible characters without white space.
/// It is usually a GUID.
pub(crate) fn is_client_id(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
