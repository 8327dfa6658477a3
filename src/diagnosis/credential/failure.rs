//! Turns the error of a credential into that for callers: its code, message and next step.

use serde::{Deserialize, Serialize};

use super::{CredentialDiagnosis, CredentialDiagnosisCode, FailedCredential, diagnose_credential};
use crate::schedule::Evidence;
use crate::{Code, Error};

/// How many lines of a message to show.
const MAX_LINES: usize = 3;

/// How much of a message to show, in characters.
const MAX_SHOWN: usize = 400;

/// How the codes of lost connections begin: those of Node, undici, the Azure SDK and MSAL.
const NETWORK_CODES: [&str; 10] = [
    "ECONN",
    "ENOTFOUND",
    "EAI_",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "EPIPE",
    "UND_ERR",
    "REQUEST_SEND_ERROR",
    MSAL_NETWORK_ERROR,
];

/// MSAL's code for a lost connection, and for a response that is no JSON; nothing tells them apart.
const MSAL_NETWORK_ERROR: &str = "network_error";

/// The name of all errors of `@azure/identity` without a response.
const UNAVAILABLE: &str = "CredentialUnavailableError";

/// The names of errors of a JavaScript library that failed to parse a response.
const PARSE_ERRORS: [&str; 2] = ["TypeError", "SyntaxError"];

/// Names that libraries put before a message.
const PREFIXES: [&str; 3] = [UNAVAILABLE, "AuthenticationRequiredError", "Error"];

/// A line that says nothing of the cause.
const CHAIN_FAILED: &str = "ChainedTokenCredential authentication failed";

/// An error that a credential reported. As JSON in camel case; every field is optional and may be
/// null.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReportedError {
    /// Its message, without secrets.
    pub message: String,
    /// The names of the error and its causes, such as `CredentialUnavailableError`.
    pub names: Vec<String>,
    /// Their codes, such as `ECONNRESET`.
    pub codes: Vec<String>,
    /// Whether the identity endpoint could not be reached. Default: by the names and codes.
    pub network: bool,
    /// Whether its response could not be parsed. Default: by the names and codes.
    pub unreadable: bool,
    /// Whether the credential cannot be used here at all. Default: by the names and codes.
    pub unavailable: bool,
    /// The code, where the source of the token knows it.
    pub code: Option<Code>,
    /// The next step, where the source of the token knows it.
    pub hint: Option<String>,
    /// What the diagnosis reads. Its status decides about the code.
    pub failure: FailedCredential,
}

/// The error for callers. Serialized in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CredentialFailure {
    /// The error.
    pub error: Error,
    /// Whether the credential cannot be used here at all, as when `az` is missing.
    pub unavailable: bool,
}

/// Returns the error for callers. The message has at most three lines and 400 characters of the
/// reported one. The next step is that of the source of the token, else that of the diagnosis, else
/// what the code alone suggests.
///
/// ```
/// use copilot_keyless::diagnosis::{FailedCredential, ReportedError, credential_failure};
///
/// let message = "AADSTS7000215: Invalid client secret";
/// let failure = credential_failure(&ReportedError {
///     message: message.to_owned(),
///     failure: FailedCredential {
///         error: Some(message.into()),
///         status: Some(401),
///         ..FailedCredential::default()
///     },
///     ..ReportedError::default()
/// });
/// assert_eq!(failure.error.code().as_str(), "credential/refused");
/// assert!(failure.error.next_step().unwrap().contains("the secret's value, not its id"));
/// ```
pub fn credential_failure(reported: &ReportedError) -> CredentialFailure {
    let evidence = reported.evidence();
    let told = evidence.error(&shown(&reported.message));
    let hint = reported
        .hint
        .clone()
        .or_else(|| specific_hint(evidence, &reported.failure))
        .or_else(|| told.next_step().map(str::to_owned));
    let error = Error::new(reported.code.unwrap_or(told.code()), told.message());
    CredentialFailure {
        error: error.hint(hint.unwrap_or_default()),
        unavailable: evidence.unavailable,
    }
}

impl ReportedError {
    fn evidence(&self) -> Evidence {
        let coded = |known: &str| self.codes.iter().any(|code| code.starts_with(known));
        let named = |known: &&str| self.names.iter().any(|name| name == known);
        let network = self.network || NETWORK_CODES.into_iter().any(coded);
        let declared = !network && named(&UNAVAILABLE);
        let misread = declared && PARSE_ERRORS.iter().any(named);
        let unreadable = self.unreadable || misread || coded(MSAL_NETWORK_ERROR);
        Evidence {
            status: self.failure.status.filter(|status| *status != 0),
            unreadable,
            network,
            unavailable: self.unavailable || (declared && !unreadable),
        }
    }
}

/// Returns the hint of the diagnosis, if it knows more than the evidence.
fn specific_hint(evidence: Evidence, failure: &FailedCredential) -> Option<String> {
    use CredentialDiagnosisCode as Found;
    let found = diagnose_credential(failure);
    let hides_a_response = matches!(found.code, Found::Network | Found::LibraryFault | Found::Timeout);
    let is_vague = found.code == Found::Unknown || (evidence.unreadable && hides_a_response);
    (!is_vague).then(|| found.hint())
}

impl CredentialDiagnosis {
    /// Returns the cause and the fixes as the hint of an error: the cause and the first fix on one
    /// line, each further fix on its own.
    pub fn hint(&self) -> String {
        format!("{} {}", self.cause, self.fixes.join("\n"))
    }
}

/// Returns the first lines of a message, each once, on one line.
fn shown(message: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in message.lines().map(without_prefix) {
        if !line.is_empty() && line.trim_end_matches('.') != CHAIN_FAILED && !lines.contains(&line) {
            lines.push(line);
        }
        if lines.len() == MAX_LINES {
            break;
        }
    }
    let line = lines.join(" ");
    match line.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

fn without_prefix(line: &str) -> &str {
    PREFIXES
        .iter()
        .find_map(|prefix| line.strip_prefix(prefix)?.strip_prefix(':'))
        .unwrap_or(line)
        .trim()
}
