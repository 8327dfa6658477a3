//! The warnings of an endpoint, except those of its route.

use super::scope::Scopes;
use super::text::api_version;
use super::url::{Scheme, Url};
use super::{Cloud, Kind, authority_host};
use crate::{Notice, NoticeCode};

/// Returns the warnings of what was cleaned in the text.
pub(super) fn cleaning(url: &Url, unquoted: bool) -> Vec<Notice> {
    let mut notices = Vec::new();
    if unquoted {
        notices.push(Notice::new(
            NoticeCode::QuotesStripped,
            "The quotes, brackets or punctuation around the endpoint were dropped.",
        ));
    }
    if url.given_scheme.is_none() {
        let scheme = if url.scheme == Scheme::Http {
            "http"
        } else {
            "https"
        };
        notices.push(Notice::new(
            NoticeCode::SchemeAdded,
            format!("{scheme}:// was put in front of the endpoint."),
        ));
    }
    if url.trailing_dot {
        notices.push(Notice::new(
            NoticeCode::TrailingDotStripped,
            "The dot at the end of the host was dropped.",
        ));
    }
    notices
}

/// Returns the warnings that also apply when the base URL is parsed again.
pub(super) fn permanent(kind: Kind, cloud: Cloud, scopes: &Scopes) -> Vec<Notice> {
    let mut notices = Vec::new();
    if kind == Kind::FoundryAnthropic && !scopes.overridden {
        notices.push(Notice::new(
            NoticeCode::ScopeDocConflict,
            "Microsoft's pages name two scopes for the Anthropic route. This one is used first; after a 401 for a wrong \
             audience, set FOUNDRY_TOKEN_SCOPE to the other, https://cognitiveservices.azure.com/.default.",
        ));
    }
    if matches!(kind, Kind::Gateway | Kind::Custom) && scopes.scope.is_none() {
        notices.push(Notice::new(
            NoticeCode::ScopeRequired,
            "No token scope is known for this host and none is guessed. Set FOUNDRY_TOKEN_SCOPE, or the scope option, to \
             the one that its operator names.",
        ));
    }
    if kind == Kind::Openai {
        notices.push(Notice::new(
            NoticeCode::NotAzure,
            "api.openai.com is not Azure: it takes OpenAI's own keys and no Microsoft Entra token.",
        ));
    }
    if cloud == Cloud::China {
        notices.push(Notice::new(
            NoticeCode::UnverifiedCloud,
            "The endpoint is in Azure in China; its scope follows the documentation and was not tried.",
        ));
    }
    if let (Cloud::Usgov | Cloud::China, Some(host)) = (cloud, authority_host(cloud)) {
        notices.push(Notice::new(
            NoticeCode::AuthorityHostRequired,
            format!(
                "A credential of your own must sign in at {host}: give it that authorityHost, or set AZURE_AUTHORITY_HOST. The \
                 default credential does so by itself."
            ),
        ));
    }
    notices
}

pub(super) fn privatelink(host: &str) -> Notice {
    Notice::new(
        NoticeCode::PrivatelinkHostRewritten,
        format!(
            "\"privatelink\" was dropped from the host; {host} resolves to the private address by itself."
        ),
    )
}

/// Returns the warning that the query was dropped. It names the API version, which is no secret.
pub(super) fn query(query: &str) -> Notice {
    let dated = match api_version(query) {
        Some(version) => format!("give apiVersion \"{version}\" as an option."),
        None => "give apiVersion as an option.".to_owned(),
    };
    Notice::new(
        NoticeCode::QueryStripped,
        format!(
            "The query string was dropped; the v1 API has no api-version, and a key belongs in no URL. For a dated API, {dated}"
        ),
    )
}
