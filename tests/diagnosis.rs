//! Which 401 a new token mends.

use copilot_keyless::diagnosis::rejects_token;

const REJECTED: &str = "Unauthorized. Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired.";

#[test]
fn a_new_token_mends_what_is_said_of_the_token() {
    assert!(rejects_token(401, REJECTED));
    assert!(rejects_token(
        401,
        &format!(r#"{{"statusCode":401,"message":"{REJECTED}"}}"#)
    ));
    assert!(rejects_token(401, ""), "a 401 that says nothing");
}

#[test]
fn no_token_mends_a_missing_role_or_key_or_another_status() {
    for body in [
        r#"{"error":{"code":"PermissionDenied","message":"The principal `o` lacks the required data action `a`."}}"#,
        "The principal lacks the required data action",
        "Principal does not have access to API/Operation.",
        "Access denied due to missing subscription key. Make sure to include subscription key.",
        "Access denied due to invalid subscription key or wrong API endpoint.",
    ] {
        assert!(!rejects_token(401, body), "{body}");
    }
    for status in [400, 402, 403, 404, 429, 500] {
        assert!(!rejects_token(status, REJECTED), "{status}");
    }
}
