//! Which headers the gateway passes on, in both directions.

use std::cmp::Ordering;

use crate::answer::retry_after_ms;
use crate::token::Millis;

/// A header: its name, in any case, and its value.
pub type Pair<'a> = (&'a str, &'a str);

/// The headers that carry a key. None of them is forwarded.
pub(super) const KEY_HEADERS: [&str; 3] = ["authorization", "api-key", "x-api-key"];

/// Headers of one connection: RFC 9110, section 7.6.1, and older ones. `Host`, `Content-Length` and
/// `Expect` are set anew for the connection to the resource.
const OF_A_CONNECTION: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const OF_A_REQUEST: [&str; 3] = ["host", "content-length", "expect"];

/// Whether `names` has the name, in any case.
pub(super) fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// Returns the headers to send to the resource, in order: all except the keys and those of the
/// connection.
pub(super) fn request_headers<'a>(headers: &[Pair<'a>]) -> Vec<Pair<'a>> {
    end_to_end(headers, |name| {
        is_one_of(name, &KEY_HEADERS) || is_one_of(name, &OF_A_REQUEST)
    })
}

/// Returns the headers of an answer to send to the client, in order: all except those of the
/// connection.
///
/// ```
/// use copilot_keyless::gateway::response_headers;
///
/// let received = [("Connection", "X-Hop"), ("x-hop", "1"), ("retry-after", "2")];
/// assert_eq!(response_headers(&received), [("retry-after", "2")]);
/// ```
pub fn response_headers<'a>(headers: &[Pair<'a>]) -> Vec<Pair<'a>> {
    end_to_end(headers, |_| false)
}

/// Returns how long an answer asks to be left alone, in milliseconds: `retry-after-ms`, or
/// `retry-after` in seconds or as a date. `now`: epoch milliseconds. Azure sends a `retry-after-ms`
/// of 0 beside a longer `retry-after`.
pub fn pause_asked(headers: &[Pair<'_>], now: Millis) -> Option<u32> {
    let value = |name: &str| {
        let mut headers = headers.iter();
        let (_, value) = headers.find(|(one, _)| one.eq_ignore_ascii_case(name))?;
        Some(*value)
    };
    value("retry-after-ms")
        .and_then(|ms| ms.trim().parse::<u32>().ok())
        .filter(|ms| *ms > 0)
        .or_else(|| {
            retry_after_ms(
                value("retry-after")?,
                value("date").unwrap_or_default(),
                Some(now),
            )
        })
}

fn end_to_end<'a>(headers: &[Pair<'a>], dropped: impl Fn(&str) -> bool) -> Vec<Pair<'a>> {
    let mut named: Vec<&str> = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| value.split(',').map(str::trim))
        .collect();
    // Thousands of names beside thousands of headers must not take long.
    named.sort_unstable_by(|one, other| in_any_case(one, other));
    let is_named = |name: &str| named.binary_search_by(|one| in_any_case(one, name)).is_ok();
    headers
        .iter()
        .filter(|(name, _)| !is_one_of(name, &OF_A_CONNECTION) && !is_named(name) && !dropped(name))
        .copied()
        .collect()
}

fn in_any_case(one: &str, other: &str) -> Ordering {
    let one = one.bytes().map(|byte| byte.to_ascii_lowercase());
    one.cmp(other.bytes().map(|byte| byte.to_ascii_lowercase()))
}
