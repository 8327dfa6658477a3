//! Headers between hyper and the rules.

use copilot_keyless::Headers;
use copilot_keyless::gateway::{Pair, response_headers};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

/// The headers as the rules read them. The rules decide by names, and by values of ASCII alone.
pub(crate) fn pairs(headers: &HeaderMap) -> Vec<Pair<'_>> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
        .collect()
}

/// The names that the rules left out of `pairs`. They decide by the name, and keep the order.
pub(crate) fn dropped(pairs: &[Pair<'_>], kept: &[Pair<'_>]) -> Vec<HeaderName> {
    let mut kept = kept.iter().peekable();
    pairs
        .iter()
        .filter(|(name, _)| kept.next_if(|(one, _)| one == name).is_none())
        .filter_map(|(name, _)| HeaderName::try_from(*name).ok())
        .collect()
}

/// Removes from an answer the headers that belong to its connection.
pub(crate) fn to_client(headers: &mut HeaderMap) {
    let all = pairs(headers);
    for name in dropped(&all, &response_headers(&all)) {
        headers.remove(name);
    }
}

/// The headers of an answer for a diagnosis.
pub(crate) fn for_diagnosis(headers: &HeaderMap) -> Headers {
    pairs(headers).into_iter().collect()
}

/// The text of a header.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(HeaderValue::to_str)?.ok()
}
