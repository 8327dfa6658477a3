//! What a refused request says about its cause.

/// Texts of a 401 that is not about the token itself: a missing role, a missing key of a gateway.
const NOT_THE_TOKEN: [&str; 4] = [
    "permissiondenied",
    "lacks the required data action",
    "does not have access to api/operation",
    "subscription key",
];

/// Whether a response says that the token itself was rejected, so that another one may be accepted. A missing role is
/// answered with 401 too, and no new token mends it.
///
/// ```
/// use copilot_keyless::diagnosis::rejects_token;
///
/// assert!(rejects_token(401, "Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired."));
/// assert!(!rejects_token(401, r#"{"code":"PermissionDenied","message":"The principal lacks the required data action"}"#));
/// assert!(!rejects_token(403, ""));
/// ```
pub fn rejects_token(status: u16, body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    status == 401 && !NOT_THE_TOKEN.iter().any(|text| body.contains(text))
}
