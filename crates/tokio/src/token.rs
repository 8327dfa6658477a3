//! The token that callers get.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

const SCHEME: &str = "Bearer ";

/// An access token. Cloned by pointer; its memory is wiped when the last clone and the last
/// [`header_value`](Token::header_value) are dropped. Copies that clients make are not.
///
/// `Debug` shows no token, and there is no `Display`, so that none ends in a log:
///
/// ```compile_fail
/// fn log(token: copilot_keyless_tokio::Token) -> String {
///     format!("Bearer {token}")
/// }
/// ```
///
/// ```
/// fn authorize(token: copilot_keyless_tokio::Token, request: &mut http::Request<()>) {
///     request.headers_mut().insert("authorization", token.header_value());
/// }
/// ```
#[derive(Clone)]
pub struct Token(Arc<Parts>);

struct Parts {
    /// `Bearer <token>`, the only copy.
    text: Bytes,
    header: HeaderValue,
    expires_on: SystemTime,
    generation: u64,
}

/// The memory of a token.
struct Memory(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Token {
    /// Creates a token of visible ASCII characters. `None` for others.
    pub(crate) fn new(secret: &str, expires_on: SystemTime) -> Option<Self> {
        static GENERATIONS: AtomicU64 = AtomicU64::new(0);

        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut text = Zeroizing::new(Vec::with_capacity(SCHEME.len() + secret.len()));
        text.extend_from_slice(SCHEME.as_bytes());
        text.extend_from_slice(secret.as_bytes());
        let text = Bytes::from_owner(Memory(text));
        let mut header = HeaderValue::from_maybe_shared(text.clone()).ok()?;
        header.set_sensitive(true);
        Some(Self(Arc::new(Parts {
            text,
            header,
            expires_on,
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
        })))
    }

    /// Returns the token, without `Bearer `.
    pub fn secret(&self) -> &str {
        let text = self.0.text.get(SCHEME.len()..).unwrap_or_default();
        // Never fails: the text is ASCII.
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// Returns when the token expires, on this machine's clock.
    pub fn expires_on(&self) -> SystemTime {
        self.0.expires_on
    }

    /// Returns the value of an `Authorization` header: `Bearer` and the token, marked as sensitive.
    /// Shares the memory of the token.
    pub fn header_value(&self) -> HeaderValue {
        self.0.header.clone()
    }

    /// Whether both are the same acquisition.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.generation == other.0.generation
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("secret", &format_args!("[redacted]"))
            .field("expires_on", &self.0.expires_on)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::Token;

    #[test]
    fn the_text_is_shared_and_shown_nowhere() {
        let token = Token::new("eyJhbGciOi", UNIX_EPOCH).unwrap();
        assert_eq!(token.secret(), "eyJhbGciOi");
        assert_eq!(token.header_value(), "Bearer eyJhbGciOi");
        assert!(token.header_value().is_sensitive());
        assert!(!format!("{token:?} {:?}", token.header_value()).contains("eyJ"));
        assert_eq!(token.header_value().as_bytes().as_ptr(), token.0.text.as_ptr());
        assert!(Token::new("two\nlines", UNIX_EPOCH).is_none());
    }
}
