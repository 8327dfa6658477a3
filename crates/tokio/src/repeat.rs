//! The token for a repetition.

/// Returns the token to repeat a request with, after a 401 for this `Authorization`: that of a new
/// acquisition, or the one that another request has caused by its 401 meanwhile.
#[cfg(any(
    feature = "azure-core",
    feature = "object-store",
    feature = "reqwest-middleware",
    feature = "tower"
))]
pub(crate) async fn another(
    tokens: &crate::TokenProvider,
    refused: &http::HeaderValue,
    www_authenticate: impl AsRef<[u8]>,
) -> Option<crate::Token> {
    let current = tokens.try_token();
    if let Some(token) = current.filter(|token| token.header_value() == refused) {
        tokens.challenge(&token, www_authenticate);
    }
    // Without another token the answer of the resource says more than our error.
    let token = tokens.token().await.ok()?;
    (token.header_value() != refused).then_some(token)
}

/// Joins the `WWW-Authenticate` headers of a response.
#[cfg(any(
    feature = "copilot",
    feature = "object-store",
    feature = "reqwest-middleware",
    feature = "tower"
))]
pub(crate) fn challenge_of(headers: &http::HeaderMap) -> Vec<u8> {
    let all = headers.get_all(http::header::WWW_AUTHENTICATE);
    let all: Vec<&[u8]> = all.iter().map(http::HeaderValue::as_bytes).collect();
    all.join(&b", "[..])
}
