//! Invariants of every parsed endpoint, for any text. The property tests and the fuzz target share
//! them.

use std::net::Ipv6Addr;

use copilot_keyless::NoticeCode;
use copilot_keyless::endpoint::{Endpoint, Kind, Options, ProviderType, parse};

/// Parses a text. If it is accepted, checks the invariants.
pub(crate) fn check(text: &str, options: &Options) {
    if let Ok(endpoint) = parse(text, options) {
        check_invariants(&endpoint, options);
        check_again(&endpoint, options);
        check_host(text, &endpoint);
    }
}

/// Checks that the host equals the input's, apart from its private link.
fn check_host(text: &str, endpoint: &Endpoint) {
    let given = given_host(text);
    let found = host_of(&endpoint.base_url);
    assert_eq!(found, host_of(&endpoint.url), "{text:?}");
    let address = |host: &str| {
        host.strip_prefix('[')?
            .strip_suffix(']')?
            .parse::<Ipv6Addr>()
            .ok()
    };
    let public = given.rsplit_once(".privatelink.");
    let same = found == given
        || address(found).is_some_and(|found| address(&given) == Some(found))
        || public.is_some_and(|(name, domain)| found == format!("{name}.{domain}"));
    assert!(same, "{text:?} gives {found}, but its host is {given}");
}

/// Returns the host of a text by the simplest reading: all characters after the scheme that a host
/// may contain.
fn given_host(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let text = lower.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '[');
    let text = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .unwrap_or(text);
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && !"-.:[]".contains(c))
        .unwrap_or(text.len());
    let authority = &text[..end];
    let host = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => &authority[..at],
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host).to_owned()
}

/// Checks that parsing the base URL again returns the same endpoint, with no other warnings than
/// the permanent ones.
fn check_again(endpoint: &Endpoint, options: &Options) {
    // The path of type azure and of an Anthropic root does not determine the type, so the caller
    // passes it again.
    let type_is_visible =
        endpoint.provider_type == ProviderType::Openai || endpoint.base_url.ends_with("/anthropic");
    let options = Options {
        provider_type: options
            .provider_type
            .or((!type_is_visible).then_some(endpoint.provider_type)),
        ..options.clone()
    };
    let again = parse(&endpoint.base_url, &options).unwrap_or_else(|error| panic!("{endpoint:?}\n{error}"));
    assert_eq!(again.base_url, endpoint.base_url);
    assert_eq!(
        (
            again.kind,
            again.cloud,
            again.provider_type,
            &again.scope,
            &again.alternate_scopes
        ),
        (
            endpoint.kind,
            endpoint.cloud,
            endpoint.provider_type,
            &endpoint.scope,
            &endpoint.alternate_scopes
        )
    );
    assert_eq!(
        (&again.resource, &again.project),
        (&endpoint.resource, &endpoint.project)
    );
    let standing = [
        NoticeCode::NotAzure,
        NoticeCode::UnverifiedCloud,
        NoticeCode::ScopeRequired,
        NoticeCode::AuthorityHostRequired,
        NoticeCode::ScopeDocConflict,
    ];
    assert!(
        again
            .warnings
            .iter()
            .all(|notice| standing.contains(&notice.code)),
        "{:?}",
        again.warnings
    );
}

/// Returns the scheme and host of a URL that this crate built, by the simplest reading.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").unwrap().1;
    let authority = rest.split('/').next().unwrap();
    match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => &authority[..at],
        _ => authority,
    }
}

fn check_invariants(endpoint: &Endpoint, options: &Options) {
    let base = &endpoint.base_url;
    assert!(base.is_ascii());
    assert!(
        !base.contains(['?', '#', '\\', ' ', '<', '>', '"', '\'']),
        "{base}"
    );
    let rest = base.split_once("://").unwrap().1;
    let authority = rest.split('/').next().unwrap();
    assert!(
        authority
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b)),
        "{base}"
    );
    let path = &rest[authority.len()..];
    assert!(!path.contains(['?', '#', '\\']) && !path.contains("//"), "{base}");
    assert!(
        !path.split('/').any(|segment| segment == "." || segment == ".."),
        "{base}"
    );
    let azure = [
        Kind::AzureOpenai,
        Kind::FoundryAccount,
        Kind::FoundryProject,
        Kind::FoundryAnthropic,
        Kind::AiServices,
    ];
    let host = host_of(base);
    let in_azure = [".azure.com", ".azure.us", ".azure.cn"]
        .iter()
        .any(|domain| host.ends_with(domain));
    if azure.contains(&endpoint.kind) {
        assert!(
            in_azure && base.starts_with("https://") && endpoint.scope.is_some(),
            "{endpoint:?}"
        );
    }
    if endpoint.scope.is_some() && options.scope.is_none() {
        assert!(
            azure.contains(&endpoint.kind),
            "a scope without being asked: {endpoint:?}"
        );
    }
}
