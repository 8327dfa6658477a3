//! Runs developer tools, which end with the request.

use std::process::Stdio;
use std::time::Duration;

use copilot_keyless::Secret;
use copilot_keyless::diagnosis::{FailedCredential, diagnose_credential};
use copilot_keyless::request::tool::{TOOL_TIMEOUT_MS, ToolCall};
use tokio::process::Command;

use super::direct::DirectCredentialBuilder;
use super::{CredentialError, TokenResponse};

/// The most characters of a tool's complaint to read.
const MAX_COMPLAINT: usize = 4_096;

pub(super) async fn run(
    call: &ToolCall,
    settings: &DirectCredentialBuilder,
) -> Result<TokenResponse, CredentialError> {
    let requested_at = settings.clock.wall();
    let running = command(call, settings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let limit = Duration::from_millis(TOOL_TIMEOUT_MS.into());
    let output = match tokio::time::timeout(limit, running).await {
        Err(_) => return Err(CredentialError::new(format!("{}: timed out", call.program)).unreachable()),
        Ok(Err(error)) => {
            let missing = format!("{}: command not found: {}", call.credential, call.program);
            return Err(explained(missing, settings).with_source(error));
        }
        Ok(Ok(output)) => output,
    };
    if output.status.success() {
        return TokenResponse::from_json(&output.stdout, requested_at);
    }
    // Not the other stream: that may carry a token.
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().take(MAX_COMPLAINT).collect();
    Err(explained(format!("{}: {said}", call.credential), settings))
}

/// Returns the error with the cause and the next step that a diagnosis of the text finds.
fn explained(text: String, settings: &DirectCredentialBuilder) -> CredentialError {
    let found = diagnose_credential(&FailedCredential {
        error: Some(Secret::from(text.as_str())),
        env: settings.vars.all(),
        ..FailedCredential::default()
    });
    let told = copilot_keyless::Error::new(copilot_keyless::Code::CredentialUnavailable, found.cause)
        .hint(found.fixes.join("\n"));
    CredentialError::new(text).unavailable().telling(told)
}

/// On Windows `az` is a script, which a shell runs; its arguments have no characters that the shell reads.
fn command(call: &ToolCall, settings: &DirectCredentialBuilder) -> Command {
    let mut command = if cfg!(windows) && call.program == "az" {
        let mut command = Command::new("cmd");
        command.arg("/c").arg(call.program);
        command
    } else {
        Command::new(call.program)
    };
    command.args(&call.args);
    if let Some(path) = settings.vars.get("PATH") {
        command.env("PATH", path);
    }
    command
}
