//! The token that callers get.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
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
/// ```compile_fail,E0277
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

/// On cache lines of its own: threads count the clones of theirs (see [`Token::replica`]).
#[repr(align(128))]
struct Parts {
    memory: Memory,
    /// `Bearer <token>`, of the same memory.
    header: HeaderValue,
    expires_on: SystemTime,
    generation: u64,
}

/// The memory of a token, `Bearer <token>`: the only copy.
#[derive(Clone)]
struct Memory(Arc<Zeroizing<Vec<u8>>>);

impl Memory {
    fn header(&self) -> Option<HeaderValue> {
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(self.clone())).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Does not keep the token.
pub(crate) struct WeakToken(Weak<Parts>);

impl WeakToken {
    pub(crate) fn upgrade(&self) -> Option<Token> {
        self.0.upgrade().map(Token)
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
        let memory = Memory(Arc::new(text));
        Some(Self(Arc::new(Parts {
            header: memory.header()?,
            memory,
            expires_on,
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
        })))
    }

    /// Returns the same token, in the same memory, with a count of clones of its own: threads that
    /// count together wait for each other's caches.
    pub(crate) fn replica(&self) -> Self {
        let Some(header) = self.0.memory.header() else {
            return self.clone();
        };
        Self(Arc::new(Parts {
            memory: self.0.memory.clone(),
            header,
            expires_on: self.0.expires_on,
            generation: self.0.generation,
        }))
    }

    pub(crate) fn downgrade(&self) -> WeakToken {
        WeakToken(Arc::downgrade(&self.0))
    }

    /// Returns the token, without `Bearer `.
    ///
    /// ```
    /// fn size(token: &copilot_keyless_tokio::Token) -> usize {
    ///     token.secret().len()
    /// }
    /// ```
    pub fn secret(&self) -> &str {
        let text = self.0.memory.0.get(SCHEME.len()..).unwrap_or_default();
        // Never fails: the text is ASCII.
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// Returns when the token expires, on this machine's clock.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use copilot_keyless_tokio::Token;
    ///
    /// fn left(token: &Token) -> Duration {
    ///     token.expires_on().duration_since(SystemTime::now()).unwrap_or_default()
    /// }
    /// ```
    pub fn expires_on(&self) -> SystemTime {
        self.0.expires_on
    }

    /// Returns the value of an `Authorization` header: `Bearer` and the token, marked as sensitive.
    /// Shares the memory of the token.
    ///
    /// ```
    /// use copilot_keyless_tokio::Token;
    ///
    /// fn authorize(token: &Token, headers: &mut http::HeaderMap) {
    ///     headers.insert("authorization", token.header_value());
    /// }
    /// ```
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
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use super::Token;

    #[test]
    fn the_text_is_shared_and_shown_nowhere() {
        let token = Token::new("eyJhbGciOi", UNIX_EPOCH).unwrap();
        assert_eq!(token.secret(), "eyJhbGciOi");
        assert_eq!(token.header_value(), "Bearer eyJhbGciOi");
        assert!(token.header_value().is_sensitive());
        assert!(!format!("{token:?} {:?}", token.header_value()).contains("eyJ"));
        assert_eq!(
            token.header_value().as_bytes().as_ptr(),
            token.0.memory.0.as_ptr()
        );
        assert!(Token::new("two\nlines", UNIX_EPOCH).is_none());
    }

    #[test]
    fn the_memory_goes_with_the_last_clone_and_header() {
        let token = Token::new("eyJhbGciOi", UNIX_EPOCH).unwrap();
        let replica = token.replica();
        assert!(replica.is(&token));
        assert_eq!(replica.secret().as_ptr(), token.secret().as_ptr());
        let (memory, weak) = (Arc::downgrade(&token.0.memory.0), replica.downgrade());
        let header = replica.header_value();
        drop((token, replica));
        assert!(weak.upgrade().is_none());
        assert!(memory.upgrade().is_some());
        drop(header);
        assert!(memory.upgrade().is_none());
    }
}
