//! Reads the secrets of token requests.

use copilot_keyless::environment::Variable;
use copilot_keyless::request::identity::SecretPlace;
use copilot_keyless::{Code, Error};
use ring::digest;
use zeroize::Zeroizing;

use super::CredentialError;
use super::direct::DirectCredentialBuilder;

type Text = Zeroizing<String>;

/// Returns the secret of a request; empty if it needs none.
pub(super) async fn of(
    place: Option<&SecretPlace>,
    settings: &DirectCredentialBuilder,
) -> Result<Text, CredentialError> {
    let Some(place) = place else {
        return Ok(Text::default());
    };
    let value = place
        .variable
        .and_then(|variable| settings.vars.get(variable.as_str()))
        .map(Zeroizing::new)
        .unwrap_or_default();
    let text = match (place.name, &settings.assertion, &settings.client_secret) {
        ("client_assertion", Some(assertion), _) => Zeroizing::new(assertion().await?),
        ("client_assertion", None, _) => token_file(&value).await?,
        ("client_secret", _, Some(secret)) => secret.clone(),
        _ => value,
    };
    checked(place, &text)
}

fn checked(place: &SecretPlace, text: &str) -> Result<Text, CredentialError> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Zeroizing::new(text.to_owned()));
    }
    let what = match (place.variable, place.name) {
        (Some(Variable::AzureFederatedTokenFile), _) => "The file of AZURE_FEDERATED_TOKEN_FILE",
        (Some(variable), _) => variable.as_str(),
        (None, "client_secret") => "The client secret",
        (None, _) => "The result of assertion()",
    };
    let wrong = if text.is_empty() {
        "is blank"
    } else {
        "contains white space or characters beyond ASCII"
    };
    Err(
        Error::new(Code::CredentialConfiguration, format!("{what} {wrong}"))
            .hint("Look for a line break or a quote in it.")
            .into(),
    )
}

/// Reads the federated token. Its file is renewed every few minutes.
async fn token_file(path: &str) -> Result<Text, CredentialError> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(owned)).await;
    match read {
        Ok(Ok(text)) => Ok(Zeroizing::new(text)),
        Ok(Err(cause)) => {
            // A value that is no path may be the token itself: do not show it.
            let is_path =
                path.starts_with(['/', '.']) || path.get(1..3).is_some_and(|s| s == ":\\" || s == ":/");
            let shown = if is_path {
                path
            } else {
                "its value is not a file path"
            };
            let error = Error::new(
                Code::CredentialConfiguration,
                format!("AZURE_FEDERATED_TOKEN_FILE cannot be read: {shown}"),
            )
            .hint("Kubernetes mounts it into pods with the label azure.workload.identity/use: \"true\".");
            Err(CredentialError::from(error).with_source(cause))
        }
        Err(_) => Err(CredentialError::new("the runtime ends")),
    }
}

/// Returns the SHA-256 of a text in lower-case hexadecimal digits.
pub(super) fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into memory cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
