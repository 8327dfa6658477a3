//! Asks identity endpoints for a token: sends what the core plans, and retries as it says.

use std::sync::atomic::Ordering;
use std::time::Duration;

use copilot_keyless::diagnosis::{FailedCredential, ReportedError, credential_failure};
use copilot_keyless::environment::CredentialKind;
use copilot_keyless::request::identity::{self, Call, Failure, Request, Source, Verdict};
use copilot_keyless::{Code, Error, Secret};
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::direct::DirectCredential;
use super::http::Reply;
use super::{CredentialError, TokenRequest, TokenResponse, arc, certificate, secret};
use crate::clock::{chance, millis_since_epoch, time_of};

/// How long a managed identity may take to answer where there may be none.
const PROBE: Duration = Duration::from_secs(1);

/// Acquires a token of one credential. `sure`: whether that is the one to use; else a managed identity
/// that does not answer at once is none.
pub(super) async fn acquire(
    credential: &DirectCredential,
    request: &TokenRequest,
    kind: CredentialKind,
    sure: bool,
) -> Result<TokenResponse, CredentialError> {
    let mut planned = plan(credential, request);
    let certificate = kind == CredentialKind::Environment && certificate::is_set(&credential.settings);
    planned.own_assertion |= certificate;
    planned.source = if certificate {
        Some(Source::WorkloadIdentity)
    } else if planned.own_secret {
        Some(Source::ClientSecret)
    } else {
        identity::source_of(kind, &planned)
    };
    if planned.source.is_none() && kind == CredentialKind::Environment {
        return Err(no_password());
    }
    let mut call = identity::call(&planned)?;
    let mut attempt = 0;
    loop {
        let verdict = ask(credential, &call, attempt, certificate, sure).await?;
        let failure = match verdict {
            Verdict::Token(token) => {
                let response =
                    TokenResponse::new(token.token.into_exposed(), time_of(token.expires_on_timestamp));
                return Ok(match token.refresh_after_timestamp {
                    Some(at) => response.with_refresh_after(time_of(at)),
                    None => response,
                });
            }
            Verdict::NotRenewed(not_renewed) => {
                if not_renewed.refused {
                    credential.renewal_refused.store(true, Ordering::Relaxed);
                }
                planned.rejected_token_sha256 = None;
                call = identity::call(&planned)?;
                continue;
            }
            Verdict::Error(error) => return Err(error.into()),
            Verdict::Assertion(_) => return Err(CredentialError::new("the answer is no token")),
            Verdict::Failure(failure) => failure,
        };
        let pause = failure.retry_in_ms;
        let failed = explain(credential, failure);
        match pause.filter(|_| sure) {
            None => return Err(failed),
            Some(pause) => {
                request.note(failed);
                attempt += 1;
                sleep(Duration::from_millis(pause.into())).await;
            }
        }
    }
}

fn plan(credential: &DirectCredential, request: &TokenRequest) -> Request {
    let settings = &credential.settings;
    let mut env = settings.vars.all();
    arc::detect(&mut env);
    Request {
        scopes: request.scopes.clone(),
        client_id: settings.client_id.clone(),
        object_id: settings.object_id.clone(),
        resource_id: settings.resource_id.clone(),
        tenant_id: request.tenant.clone().or_else(|| settings.tenant.clone()),
        authority_host: settings.authority_host.clone(),
        claims: request.claims.clone(),
        own_assertion: settings.assertion.is_some(),
        own_secret: settings.client_secret.is_some(),
        azure_arc: true,
        identity_binding: true,
        rejected_token_sha256: request.rejected().map(|token| secret::sha256(token.secret())),
        renewal_refused: credential.renewal_refused.load(Ordering::Relaxed),
        env,
        ..Request::default()
    }
}

/// Sends the request, after the one for its assertion if there is one.
async fn ask(
    credential: &DirectCredential,
    call: &Call,
    attempt: u32,
    certificate: bool,
    sure: bool,
) -> Result<Verdict, CredentialError> {
    let settings = &credential.settings;
    if let Some(first) = &call.assertion_call {
        let secret = secret::of(first.secret.as_ref(), settings).await?;
        return match send(credential, first, call.source, true, &secret, attempt, sure).await? {
            Verdict::Assertion(assertion) => {
                let assertion = Zeroizing::new(assertion.into_exposed());
                send(credential, call, call.source, false, &assertion, attempt, sure).await
            }
            verdict => Ok(verdict),
        };
    }
    let secret = if certificate {
        certificate::assertion(call, settings)?
    } else if call.source == Source::AzureArc {
        arc::secret(&credential.http, call).await?
    } else {
        secret::of(call.secret.as_ref(), settings).await?
    };
    send(credential, call, call.source, false, &secret, attempt, sure).await
}

async fn send(
    credential: &DirectCredential,
    call: &Call,
    source: Source,
    of_assertion: bool,
    secret: &str,
    attempt: u32,
    sure: bool,
) -> Result<Verdict, CredentialError> {
    let clock = &credential.settings.clock;
    let requested_at = millis_since_epoch(clock.wall());
    let mut limit = Duration::from_millis(call.timeout_ms.into());
    if !sure && source == Source::Imds {
        limit = limit.min(PROBE);
    }
    let Reply {
        status,
        headers,
        body,
    } = credential.http.send(call, secret, limit).await?;
    Ok(identity::judge(&identity::Answer {
        source,
        of_assertion,
        renews: call.renews,
        status,
        headers,
        body,
        secret: Secret::from(secret),
        requested_at,
        answered_at: Some(millis_since_epoch(clock.wall())),
        attempt,
        random: chance(),
    }))
}

/// Returns the error with its code, the endpoint's words and the next step.
fn explain(credential: &DirectCredential, failure: Failure) -> CredentialError {
    let Failure {
        status,
        message,
        retry_after_ms,
        code,
        hint,
        ..
    } = failure;
    let told = credential_failure(&ReportedError {
        network: status.is_none(),
        code,
        hint: hint.map(str::to_owned),
        failure: FailedCredential {
            error: Some(Secret::from(message.as_str())),
            status,
            env: credential.settings.vars.all(),
            ..FailedCredential::default()
        },
        message: message.clone(),
        ..ReportedError::default()
    });
    let error = CredentialError::new(message).telling(told.error);
    let error = match status {
        Some(status) => error.with_status(status),
        None => error.unreachable(),
    };
    match retry_after_ms {
        Some(pause) => error.with_retry_after(Duration::from_millis(pause.into())),
        None => error,
    }
}

fn no_password() -> CredentialError {
    Error::new(
        Code::CredentialConfiguration,
        "The service principal of the environment has neither a secret nor a certificate",
    )
    .hint(
        "Set AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH. Users with a password are not supported.",
    )
    .into()
}
