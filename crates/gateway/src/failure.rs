//! An error with a stable code and a next step.

use std::fmt::{self, Display, Formatter};

use copilot_keyless::diagnosis::{Diagnosis, DiagnosisCode};

/// Why something failed: a stable code, a message, and what to do. Never holds a secret.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// Such as `gateway/key-file` or `model/missing-role`.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// Whether the same request may succeed later without a change.
    pub(crate) retryable: bool,
    pub(crate) retry_after_ms: Option<u32>,
}

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            retryable: false,
            retry_after_ms: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An option that the gateway does not take.
    pub(crate) fn option(message: impl Into<String>) -> Self {
        Self::new("gateway/invalid-option", message).hint("See docs/guides/gateway.md.")
    }

    /// The explanation of a refusal of the resource.
    pub(crate) fn of_diagnosis(diagnosis: &Diagnosis) -> Self {
        let source = match diagnosis.status {
            None => "The network's message".to_owned(),
            Some(status) => format!("The response, HTTP {status}"),
        };
        let cause = &diagnosis.cause;
        let code = match diagnosis.code {
            DiagnosisCode::Ok => DiagnosisCode::Unknown,
            code => code,
        };
        Self {
            code: format!("model/{}", code.as_str()),
            message: diagnosis
                .message
                .as_ref()
                .map_or_else(|| cause.clone(), |said| format!("{cause} {source}: {said}")),
            hint: Some(diagnosis.fixes.join("\n")).filter(|hint| !hint.is_empty()),
            retryable: diagnosis.retryable,
            retry_after_ms: diagnosis.retry_after_ms,
        }
    }

    /// The message and the next step, as a client reads them.
    pub(crate) fn text(&self) -> String {
        match &self.hint {
            None => self.message.clone(),
            Some(hint) if self.message.ends_with(['.', '!', '?']) => format!("{}\n{hint}", self.message),
            Some(hint) => format!("{}.\n{hint}", self.message),
        }
    }
}

impl From<copilot_keyless::Error> for Failure {
    fn from(error: copilot_keyless::Error) -> Self {
        Self {
            code: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            hint: error.next_step().map(str::to_owned),
            retryable: error.code().is_retryable(),
            retry_after_ms: None,
        }
    }
}

/// As a terminal shows it.
impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "✗ {} ({})", one_line(&self.message), self.code)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {}", clean(hint)),
            None => Ok(()),
        }
    }
}

/// Makes a text safe for a terminal: no control characters but line feeds and tabs.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !is_invisible(*c))
        .collect()
}

/// The same on one line.
pub(crate) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Control characters, those without width, and those that change the direction of text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
