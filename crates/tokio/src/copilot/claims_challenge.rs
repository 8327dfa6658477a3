//! Answers claims challenges. The runtime's events do not carry the header of a refused request, so this
//! sends the runtime's requests itself.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use copilot_keyless::token::challenge;
use futures_util::stream;
use github_copilot_sdk::copilot_request_handler::{
    CopilotHttpRequest, CopilotHttpResponse, CopilotRequestContext, CopilotRequestError,
    CopilotRequestHandler, CopilotWebSocketHandler, CopilotWebSocketResponse,
};
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::json;

use super::members::Members;
use super::state::SessionState;
use crate::repeat::challenge_of;
use crate::{Error, Result, Token, TokenProvider};

type Answered<T> = std::result::Result<T, CopilotRequestError>;

/// A request handler of the Copilot client that answers claims challenges (continuous access evaluation).
/// The runtime cannot: what it tells of a refused request has no headers. When the resource rejects a
/// token with 401 and names claims, the handler acquires a token with these claims, once for all sessions,
/// and sends the request again. If that fails, the turn ends with `token/claims-challenge` or the
/// credential's error. Made by
/// [`FoundryProvider::claims_challenge_handler`](crate::FoundryProvider::claims_challenge_handler).
///
/// It sends the requests to the provider's endpoint with a client of its own, with the proxy of the
/// environment and the roots of the platform. What goes elsewhere, such as to GitHub, it sends unchanged,
/// or leaves to the handler of [`over`](ClaimsChallengeHandler::over). A resource challenges only tokens
/// of clients that say they can answer. [`DirectCredential`](crate::DirectCredential) passes claims on
/// where it signs in at Entra, but does not say so yet. Whether Foundry sends challenges is not verified
/// on live Azure.
///
/// ```no_run
/// use copilot_keyless_tokio::{FoundryProvider, without_secrets};
/// use github_copilot_sdk::{Client, ClientOptions};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let foundry = FoundryProvider::from_env()?;
/// let options = ClientOptions::default().with_request_handler(foundry.claims_challenge_handler());
/// let client = Client::start(without_secrets(options)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClaimsChallengeHandler {
    members: Arc<Members>,
    /// For addresses with TLS, and for those without.
    clients: [OnceLock<reqwest::Client>; 2],
    base: Option<Arc<dyn CopilotRequestHandler>>,
}

impl ClaimsChallengeHandler {
    pub(super) fn new(members: &Arc<Members>) -> Self {
        Self {
            members: Arc::clone(members),
            clients: Default::default(),
            base: None,
        }
    }

    /// Leaves requests to other addresses, and all `WebSockets`, to another handler. Without one a
    /// WebSocket is refused.
    ///
    /// ```
    /// use copilot_keyless_tokio::{ClaimsChallengeHandler, FoundryProvider};
    /// use github_copilot_sdk::copilot_request_handler::CopilotRequestHandler;
    ///
    /// fn handler(foundry: &FoundryProvider, mine: impl CopilotRequestHandler) -> ClaimsChallengeHandler {
    ///     foundry.claims_challenge_handler().over(mine)
    /// }
    /// ```
    #[must_use]
    pub fn over(mut self, base: impl CopilotRequestHandler) -> Self {
        self.base = Some(Arc::new(base));
        self
    }

    /// The providers that a request goes to. Their tokens must not be sent anywhere else.
    fn members(&self, url: &str) -> Vec<(usize, &TokenProvider)> {
        let members = self.members.list.iter().enumerate();
        let below = members.filter(|(_, member)| is_below(url, &member.plan.endpoint.base_url));
        below
            .filter_map(|(index, member)| Some((index, member.tokens.as_ref()?)))
            .collect()
    }

    async fn send(
        &self,
        request: &CopilotHttpRequest,
        headers: &HeaderMap,
        plain: bool,
    ) -> Answered<CopilotHttpResponse> {
        let [secure, without_tls] = &self.clients;
        let cell = if plain { without_tls } else { secure };
        let client = if let Some(client) = cell.get() {
            client
        } else {
            let client = crate::credential::model_client(plain).map_err(|error| failed(&error))?;
            cell.get_or_init(|| client)
        };
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|error| failed(&error))?;
        let mut sending = client.request(method, &request.url).headers(headers.clone());
        if !request.body.is_empty() {
            sending = sending.body(request.body.clone());
        }
        let sent = tokio::select! {
            () = request.cancel.cancelled() => return Err(cancelled()),
            sent = sending.send() => sent.map_err(upstream)?,
        };
        let (status, headers) = (sent.status(), sent.headers().clone());
        let body = stream::try_unfold(sent, |mut sent| async {
            let chunk = sent.chunk().await.map_err(upstream)?;
            Ok(chunk.map(|chunk| (chunk, sent)))
        });
        let text = status.canonical_reason().map(str::to_owned);
        Ok(CopilotHttpResponse::new(
            status.as_u16(),
            text,
            headers,
            Box::pin(body),
        ))
    }
}

#[async_trait::async_trait]
impl CopilotRequestHandler for ClaimsChallengeHandler {
    async fn send_request(
        &self,
        mut request: CopilotHttpRequest,
        context: &CopilotRequestContext,
    ) -> Answered<CopilotHttpResponse> {
        let members = self.members(&request.url);
        let sent = request.headers.get(AUTHORIZATION).cloned();
        if let (Some(base), true) = (&self.base, members.is_empty() || sent.is_none()) {
            return base.send_request(request, context).await;
        }
        // These belong to the connection of the runtime.
        for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            request.headers.remove(name);
        }
        let mut headers = std::mem::take(&mut request.headers);
        let plain = !members.is_empty() && request.url.starts_with("http:");
        let first = self.send(&request, &headers, plain).await?;
        let id = context.session_id.clone().unwrap_or_default().into();
        let session = self.members.session(&id);
        let sender = sent.and_then(|sent| Some((sender(&members, &sent, session.as_deref())?, sent)));
        let (Some(((member, tokens), sent)), Some(challenge)) = (sender, challenge_in(&first)) else {
            return Ok(first);
        };
        let answering = async {
            let token = answer(tokens, challenge, &sent).await?;
            headers.insert(AUTHORIZATION, token.header_value());
            let second = self.send(&request, &headers, plain).await;
            // Not sent a third time: a challenge that comes again at once is not answered, and this
            // returns the reason.
            if let Some(challenge) = second.as_ref().ok().and_then(challenge_in) {
                answer(tokens, challenge, &token.header_value()).await?;
            }
            Ok(second)
        };
        let answered: Result<_> = tokio::select! {
            () = context.cancel.cancelled() => return Err(cancelled()),
            answered = answering => answered,
        };
        match answered {
            Ok(second) => second,
            Err(error) => {
                if let Some(state) = session {
                    state.turn().answer(member, &error);
                }
                Ok(refusal(&error))
            }
        }
    }

    async fn open_websocket(
        &self,
        context: &CopilotRequestContext,
        response: CopilotWebSocketResponse,
    ) -> Answered<Box<dyn CopilotWebSocketHandler>> {
        match &self.base {
            Some(base) => base.open_websocket(context, response).await,
            None => Err(CopilotRequestError::message(
                "A WebSocket needs another handler: pass one to ClaimsChallengeHandler::over",
            )),
        }
    }
}

impl fmt::Debug for ClaimsChallengeHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimsChallengeHandler").finish_non_exhaustive()
    }
}

/// Of the providers at one address, the one whose token was sent. They may have different identities.
fn sender<'a>(
    members: &[(usize, &'a TokenProvider)],
    sent: &HeaderValue,
    session: Option<&SessionState>,
) -> Option<(usize, &'a TokenProvider)> {
    if let [only] = members {
        return Some(*only);
    }
    let is_sent = |token: Option<Token>| token.is_some_and(|token| token.header_value() == sent);
    let in_session = |index: usize| session.and_then(|state| state.turn().sent(index));
    let mut members = members.iter().copied();
    members.find(|(index, tokens)| is_sent(in_session(*index)) || is_sent(tokens.try_token()))
}

/// Returns the header of a claims challenge. `None` for any other response.
fn challenge_in(response: &CopilotHttpResponse) -> Option<Vec<u8>> {
    let header = challenge_of(&response.headers);
    let challenge = challenge::parse(&String::from_utf8_lossy(&header));
    (response.status == StatusCode::UNAUTHORIZED.as_u16() && challenge.claims.is_some()).then_some(header)
}

/// Acquires the token that a claims challenge asks for.
async fn answer(tokens: &TokenProvider, challenge: Vec<u8>, sent: &HeaderValue) -> Result<Token> {
    let current = tokens.try_token();
    let is_sent = |token: &Token| token.header_value() == sent;
    // One that the provider no longer has.
    let older = || Token::new(sent.to_str().ok()?.get(7..)?, SystemTime::UNIX_EPOCH);
    let rejected = current.clone().filter(is_sent).or_else(older);
    if rejected.is_some_and(|rejected| tokens.challenge(&rejected, challenge)) {
        return tokens.token().await;
    }
    let failure = tokens.status().last_failure.unwrap_or_else(Error::closed);
    Err(current.map_or(failure, |_| Error::challenged_again()))
}

/// A response that tells the runtime why there is no token. Its status is 400: the runtime does not retry
/// that, and does not explain it with API keys as it does a 401.
fn refusal(error: &Error) -> CopilotHttpResponse {
    let body = json!({ "error": { "code": error.code(), "message": error.to_string() } });
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let body = stream::iter([Ok(body.to_string().into())]);
    CopilotHttpResponse::new(400, None, headers.into_iter().collect(), Box::pin(body))
}

fn is_below(url: &str, base_url: &str) -> bool {
    let rest = url.strip_prefix(base_url.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

fn cancelled() -> CopilotRequestError {
    CopilotRequestError::message("The runtime cancelled the request")
}

fn failed(error: &dyn std::error::Error) -> CopilotRequestError {
    CopilotRequestError::message(error.to_string())
}

fn upstream(error: reqwest::Error) -> CopilotRequestError {
    CopilotRequestError::Upstream(error.without_url().to_string())
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn a_token_is_sent_below_its_endpoint_only() {
        let base = "https://myres.openai.azure.com/openai/v1/";
        assert!(is_below(
            "https://myres.openai.azure.com/openai/v1/responses",
            base
        ));
        for url in [
            "https://myres.openai.azure.com/openai/v11/responses",
            "https://myres.openai.azure.com.evil.com/openai/v1/responses",
            "https://evil.com/?https://myres.openai.azure.com/openai/v1/",
        ] {
            assert!(!is_below(url, base), "{url}");
        }
    }
}
