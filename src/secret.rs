//! Defines a text that must not be printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret text: a token, a secret, an assertion, the value of a header or environment variable,
/// or a body that may quote one. `Debug` shows `[redacted]`, without the text and its length; there
/// is no `Display`. Serialized as the text.
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
    /// Returns the text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the text without a copy.
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
