//! Judges the rows of `token-responses.json`: `{ id, body, expiresOnEpochSeconds?,
//! expiresInSeconds? }`.

use copilot_keyless::token::parse_token_response;
use serde_json::Value;

use crate::{Judgement, text};

/// A moment of the request for answers that tell a relative expiry only.
const ANY_MOMENT: i64 = 1_700_000_000_000;

/// Judges a response: its expiry. One that does not fix the time has to be refused while the time
/// zone is unknown.
pub(crate) fn judge(row: &Value) -> Judgement {
    let number = |name| row.get(name).and_then(Value::as_i64);
    let within = number("expiresInSeconds");
    let on = number("expiresOnEpochSeconds");
    let lifetime = within.unwrap_or(3_600) * 1_000;
    let requested_at = on.map_or(ANY_MOMENT, |on| on * 1_000 - lifetime);
    let found = parse_token_response(text(row, "body").as_bytes(), requested_at, |_| None);
    let expected = (on.is_some() || within.is_some()).then(|| requested_at + lifetime);
    match (expected, found) {
        (None, Err(_)) => Judgement::Right,
        (Some(expected), Ok(found)) if found.lifetime.expires() == expected => Judgement::Right,
        (Some(expected), Ok(found)) => {
            Judgement::wrong(expected.to_string(), found.lifetime.expires().to_string())
        }
        (None, Ok(found)) => Judgement::wrong("a refusal", found.lifetime.expires().to_string()),
        (Some(expected), Err(error)) => Judgement::wrong(expected.to_string(), error.to_string()),
    }
}
