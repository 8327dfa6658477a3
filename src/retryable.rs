//! Lists the error codes of all surfaces after which the same call may succeed later.

use crate::Code;
use crate::diagnosis::DiagnosisCode;

/// The codes that only the TypeScript library throws, and that are retryable.
const LIBRARY: &[&str] = &[
    "agent/no-reply",
    "agent/session-open",
    "agent/timeout",
    "chat/authorize-timeout",
    "chat/caller-timeout",
    "chat/closing",
    "chat/overloaded",
    "chat/session-busy",
    "chat/timeout",
    "chat/too-many-turns",
    "chat/turn-lost",
    "model/request-failed",
    "sdk/runtime-ended",
    "sdk/send-failed",
    "storage/lease-lost",
    "storage/unavailable",
];

/// Returns the codes of errors after which the same call may succeed later although nobody changes
/// anything, in alphabetical order: those of [`Code`], of [`DiagnosisCode`] after `model/`, and of the
/// TypeScript library.
///
/// ```
/// let codes = copilot_keyless::retryable_codes();
/// assert!(codes.contains(&"model/rate-limited".to_owned()));
/// ```
pub fn retryable_codes() -> Vec<String> {
    let core = Code::ALL.iter().filter(|code| code.is_retryable());
    let model = DiagnosisCode::ALL.iter().filter(|code| code.is_retryable());
    let mut codes: Vec<String> = core
        .map(|code| code.as_str().to_owned())
        .chain(model.map(|code| format!("model/{}", code.as_str())))
        .chain(LIBRARY.iter().map(|code| (*code).to_owned()))
        .collect();
    codes.sort_unstable();
    codes
}
