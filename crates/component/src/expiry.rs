//! Implements the interface `expiry`.

use super::Component;
use super::wit::expiry::{AccessToken, Guest, KeylessError, Millis};
use copilot_keyless::token::parse_token_response;

impl Guest for Component {
    fn parse_token_response(
        response: String,
        requested_at: Millis,
        utc_offset_minutes: Option<i32>,
    ) -> Result<AccessToken, KeylessError> {
        let response = parse_token_response(response.as_bytes(), requested_at, |_| utc_offset_minutes)?;
        Ok(AccessToken {
            token: response.token.into_exposed(),
            expires_on_timestamp: response.lifetime.expires(),
            refresh_after_timestamp: response.lifetime.refresh_after(),
        })
    }
}
