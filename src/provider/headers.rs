//! Checks the headers that an app adds to requests.

use crate::error::error_text;
use crate::text::is_made_of;
use crate::{Code, Error, Headers, Result};

/// Headers with a credential, and headers of the transport.
const REFUSED_HEADERS: [&str; 6] = [
    "authorization",
    "api-key",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
];

/// Checks headers of the caller's own, for all requests of a provider or for those of one turn.
///
/// Errors: `provider/header` for a header that carries the credential or belongs to the transport,
/// and for a name or value that HTTP does not allow.
///
/// ```
/// use copilot_keyless::{Code, Headers, provider::check_headers};
///
/// let headers = |name: &str| Headers::from_iter([(name.to_owned(), "x".to_owned())]);
/// assert!(check_headers(&headers("x-team")).is_ok());
/// assert_eq!(check_headers(&headers("Authorization")).unwrap_err().code(), Code::ProviderHeader);
/// ```
pub fn check_headers(headers: &Headers) -> Result<()> {
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in headers.iter() {
        let lower = name.to_ascii_lowercase();
        if name.is_empty() || !is_made_of(name, TOKEN_SYMBOLS) {
            return Err(header(
                "A header's name is blank or holds a character that no header's name can have.",
            )
            .hint("Expected letters, digits and hyphens, such as x-request-source."));
        }
        if REFUSED_HEADERS.contains(&lower.as_str()) {
            return Err(header(error_text!(
                "The header {lower} cannot be set: it carries the credential or belongs to the transport."
            ))
            .hint("Leave it out. The token takes the place of a key, and the runtime sets the rest."));
        }
        if seen.iter().any(|seen| seen.eq_ignore_ascii_case(name)) {
            return Err(header(error_text!(
                "The header {name} is given twice, in different spellings."
            ))
            .hint("Keep one of them."));
        }
        seen.push(name);
        let value = value.expose();
        if value.trim() != value || !value.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
            return Err(header(error_text!(
                "The value of the header {name} holds a line break, a character outside ASCII, or a space at an end."
            ))
            .hint("Expected visible ASCII characters, with single spaces between them at most."));
        }
    }
    Ok(())
}

fn header(message: impl Into<String>) -> Error {
    Error::new(Code::ProviderHeader, message)
}

/// The symbols that RFC 9110 allows in the name of a header.
const TOKEN_SYMBOLS: &[u8] = b"!#$%&'*+-.^_`|~";
