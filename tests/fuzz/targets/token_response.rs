//! Parses any bytes as a token response: no panic, and a lifetime within its bounds.
#![no_main]

use copilot_keyless::token::{MAX_LIFETIME_MS, parse_instant, parse_token_response};
use libfuzzer_sys::fuzz_target;

const REQUESTED_AT: i64 = 1_700_000_000_000;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(response) = parse_token_response(bytes, REQUESTED_AT, |_| Some(60)) {
        let lifetime = response.lifetime;
        assert!(REQUESTED_AT < lifetime.expires() && lifetime.length() <= MAX_LIFETIME_MS);
        assert!(
            lifetime
                .refresh_after()
                .is_none_or(|at| REQUESTED_AT < at && at < lifetime.expires())
        );
        assert!(!response.token.expose().trim().is_empty());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = parse_instant(text, |_| None);
    }
});
