//! The secret of Azure Arc's agent, which the agent writes to a file.

use std::path::Path;
use std::time::Duration;

use copilot_keyless::Variables;
use copilot_keyless::request::identity::{Call, arc_key_file};
use zeroize::Zeroizing;

use super::CredentialError;
use super::http::Http;

/// The longest secret to read, in bytes. Real ones have a few hundred.
const MAX_BYTES: u64 = 4_096;

/// The agent on Linux, and its endpoint. MSAL looks for the same file.
const AGENT: &str = "/opt/azcmagent/bin/himds";
const ENDPOINT: &str = "http://127.0.0.1:40342";

/// Names the endpoint of the agent where that is installed and no other endpoint is named: programs
/// that are no services of the system lack its variables.
pub(super) fn detect(env: &mut Variables) {
    let named = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"];
    if named.iter().any(|name| env.get(name).is_some()) || !Path::new(AGENT).exists() {
        return;
    }
    env.insert(
        "IDENTITY_ENDPOINT",
        format!("{ENDPOINT}/metadata/identity/oauth2/token"),
    );
    env.insert("IMDS_ENDPOINT", ENDPOINT);
}

/// Makes the agent write the secret, and reads it.
pub(super) async fn secret(http: &Http, call: &Call) -> Result<Zeroizing<String>, CredentialError> {
    let mut first = call.clone();
    first.secret = None;
    let reply = http
        .send(&first, "", Duration::from_millis(call.timeout_ms.into()))
        .await?;
    if reply.status != 401 {
        let failure = CredentialError::new(format!("Azure Arc's agent answered {}", reply.status));
        return Err(match reply.status {
            0 => failure.unreachable(),
            status => failure.with_status(status),
        });
    }
    let challenge = reply.headers.get("www-authenticate");
    let folder = cfg!(windows).then(|| std::env::var("ProgramData").unwrap_or_default());
    let path = arc_key_file(challenge.map_or("", |text| text.expose()), folder.as_deref())?.to_owned();
    let read = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
        if std::fs::metadata(&path)?.len() > MAX_BYTES {
            return Err(std::io::Error::other("the key of the agent is too long"));
        }
        std::fs::read_to_string(&path)
    });
    match read.await {
        Ok(Ok(text)) => Ok(Zeroizing::new(text.trim().to_owned())),
        Ok(Err(cause)) => {
            let error = copilot_keyless::Error::new(
                copilot_keyless::Code::CredentialConfiguration,
                "The key of Azure Arc's agent cannot be read",
            )
            .hint("Add the user of this program to the group himds (on Windows: Hybrid agent extension applications).");
            Err(CredentialError::from(error).with_source(cause))
        }
        Err(_) => Err(CredentialError::new("the runtime ends")),
    }
}
