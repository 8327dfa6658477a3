//! A text that must not be printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A token, a secret, an assertion, the value of a header or of an environment variable, or a body that may quote one.
/// `Debug` shows `[redacted]` and nothing of the text, not even its length; there is no `Display`. Serialised as the text.
///
/// ```
/// use copilot_keyless::Secret;
///
/// let token = Secret::from("eyJhbGciOi");
/// assert_eq!(format!("{token:?}"), "[redacted]");
/// assert_eq!(token.expose(), "eyJhbGciOi");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text itself, without a copy.
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
