//! Describes any text as a token: no panic.
#![no_main]

use copilot_keyless::token::claims::{TokenFormat, describe};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|token: &str| {
    let description = describe(token);
    assert!(description.format == TokenFormat::Jwt || description.audience.is_none());
});
