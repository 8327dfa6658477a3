//! The errors of a turn.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use copilot_keyless::diagnosis::{Diagnosis, DiagnosisCode};
use github_copilot_sdk::{ErrorKind, SessionErrorKind};

use crate::Error;

/// Returns the error of a request that the resource refused.
pub(super) fn of_diagnosis(diagnosis: Diagnosis) -> Error {
    let source = match diagnosis.status {
        None => "The network's message".to_owned(),
        Some(status) => format!("The response, HTTP {status}"),
    };
    let message = match diagnosis.message {
        Some(said) => format!("{} {source}: {said}", diagnosis.cause),
        None => diagnosis.cause,
    };
    let pause = diagnosis.retry_after_ms.map(u64::from).map(Duration::from_millis);
    Error::with_code(code(diagnosis.code), message, diagnosis.fixes.join("\n"))
        .with_status(diagnosis.status)
        .with_retryable(diagnosis.retryable)
        .with_pause(pause.unwrap_or_default())
}

/// Returns the code of an error: `model/` and the code of the diagnosis.
fn code(diagnosed: DiagnosisCode) -> &'static str {
    static CODES: LazyLock<HashMap<DiagnosisCode, String>> = LazyLock::new(|| {
        let name = |code: &DiagnosisCode| (*code, format!("model/{}", code.as_str()));
        DiagnosisCode::ALL.iter().map(name).collect()
    });
    // The runtime reports failures only.
    let diagnosed = match diagnosed {
        DiagnosisCode::Ok => DiagnosisCode::Unknown,
        code => code,
    };
    CODES.get(&diagnosed).map_or("model/unknown", String::as_str)
}

/// Returns the error of a turn that the runtime ended, or could not begin, for a reason other than a
/// failed request.
pub(super) fn of_sdk(error: github_copilot_sdk::Error) -> Error {
    let (code, what, hint) = match error.kind() {
        ErrorKind::Session(SessionErrorKind::Timeout(_)) => (
            "agent/timeout",
            "The turn took too long",
            "Raise the timeout of the message (with_wait_timeout), or look at the model's load.",
        ),
        ErrorKind::Session(SessionErrorKind::EventLoopClosed) => ENDED,
        _ if error.is_transport_failure() => ENDED,
        ErrorKind::Session(SessionErrorKind::AgentError) => (
            "model/request-failed",
            "The Copilot runtime ended the turn",
            "Send it again; if it keeps failing, look at the session's events.",
        ),
        _ => (
            "sdk/send-failed",
            "The Copilot runtime did not accept the prompt",
            "Send it again; resume a session or start a runtime that has ended.",
        ),
    };
    with_sdk(Error::with_code(code, format!("{what}: {error}"), hint), error)
}

const ENDED: (&str, &str, &str) = (
    "sdk/runtime-ended",
    "The Copilot runtime ended during the turn",
    "Start the client again and resume the session.",
);

pub(super) fn not_rotated(error: github_copilot_sdk::Error) -> Error {
    let message = format!("The Copilot runtime did not accept the new token: {error}");
    let hint = "Resume a session that was disconnected, or whose client was stopped.";
    with_sdk(Error::with_code("sdk/rotate-failed", message, hint), error)
}

pub(super) fn many_not_rotated() -> Error {
    Error::with_code(
        "sdk/rotate-failed",
        "The Copilot runtime cannot change the tokens of a live session with several providers",
        "Disconnect the session and resume it with a new static_config(). Or use session_config(), whose tokens are \
         refreshed.",
    )
}

pub(super) fn no_reply() -> Error {
    Error::with_code(
        "agent/no-reply",
        "The turn ended without a reply",
        "Try again; if it keeps failing, look at the session's events.",
    )
}

pub(super) fn with_sdk(error: Error, source: github_copilot_sdk::Error) -> Error {
    let source: Arc<dyn StdError + Send + Sync> = Arc::new(source);
    error.with_source(Some(source))
}
