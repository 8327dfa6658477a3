//! Tries the credentials of a chain one after another.

use std::sync::atomic::Ordering;

use copilot_keyless::diagnosis::{CredentialDiagnosisCode, FailedCredential, diagnose_credential};
use copilot_keyless::environment::CredentialKind;
use copilot_keyless::request::tool::tool_call;
use copilot_keyless::{Code, Error, Secret};

use super::direct::DirectCredential;
use super::{CredentialError, TokenRequest, TokenResponse, exchange, tool};

/// Acquires a token by the chain of the environment. Once a link has returned one, only that is asked.
pub(super) async fn acquire(
    credential: &DirectCredential,
    request: &TokenRequest,
) -> Result<TokenResponse, CredentialError> {
    let chain = credential.chain()?;
    let alone = chain.len() == 1;
    let known = credential.succeeded.load(Ordering::Relaxed);
    if let Some(kind) = known.checked_sub(1).and_then(|at| chain.get(at)) {
        return link(credential, request, *kind, true).await;
    }
    let mut failures: Vec<(CredentialKind, CredentialError)> = Vec::new();
    for (at, kind) in chain.into_iter().enumerate() {
        match link(credential, request, kind, alone).await {
            Ok(response) => {
                credential.succeeded.store(at + 1, Ordering::Relaxed);
                return Ok(response);
            }
            // An identity that is there but fails for now must not be replaced by another one.
            Err(failure) if alone || is_outage(&failure) => return Err(failure),
            Err(failure) => failures.push((kind, failure)),
        }
    }
    Err(all_failed(credential, &failures))
}

fn is_outage(failure: &CredentialError) -> bool {
    matches!(failure.status(), Some(408 | 429 | 500..))
}

/// Asks one credential. `sure`: whether it is the one to use, else it is only probed.
async fn link(
    credential: &DirectCredential,
    request: &TokenRequest,
    kind: CredentialKind,
    sure: bool,
) -> Result<TokenResponse, CredentialError> {
    if kind == CredentialKind::VisualStudioCode {
        let error = Error::new(
            Code::CredentialConfiguration,
            "Rust programs cannot use the account of Visual Studio Code",
        );
        return Err(error
            .hint("Run az login, and set AZURE_TOKEN_CREDENTIALS=AzureCliCredential.")
            .into());
    }
    let scope = request.scopes.first().map_or("", String::as_str);
    let tenant = request
        .tenant
        .as_deref()
        .or(credential.settings.tenant.as_deref());
    match tool_call(kind, scope, tenant)? {
        Some(call) => tool::run(&call, &credential.settings).await,
        None => exchange::acquire(credential, request, kind, sure).await,
    }
}

/// Tells what each link of the chain lacks, and the next step of the one that came closest.
fn all_failed(
    credential: &DirectCredential,
    failures: &[(CredentialKind, CredentialError)],
) -> CredentialError {
    let errors = failures
        .iter()
        .map(|(kind, failure)| Secret::from(format!("{}: {failure}", name(*kind))));
    let found = diagnose_credential(&FailedCredential {
        errors: errors.collect(),
        env: credential.settings.vars.all(),
        ..FailedCredential::default()
    });
    let links: Vec<String> = found
        .links
        .iter()
        .map(|link| format!("{} ({})", link.credential, link.text))
        .collect();
    let code = if found.code == CredentialDiagnosisCode::NoCredential {
        Code::CredentialUnavailable
    } else {
        Code::CredentialFailed
    };
    let message = format!("{} Tried: {}.", found.cause, links.join(", "));
    let told = Error::new(code, message).hint(found.fixes.join("\n"));
    CredentialError::new(told.message()).unavailable().telling(told)
}

fn name(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Environment => "EnvironmentCredential",
        CredentialKind::WorkloadIdentity => "WorkloadIdentityCredential",
        CredentialKind::AzureCli => "AzureCliCredential",
        CredentialKind::AzureDeveloperCli => "AzureDeveloperCliCredential",
        CredentialKind::AzurePowerShell => "AzurePowerShellCredential",
        _ => "ManagedIdentityCredential",
    }
}
