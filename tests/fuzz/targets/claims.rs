//! Any text: described without a panic.
#![no_main]

use copilot_keyless::token::claims::describe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|token: &str| {
    let description = describe(token);
    assert!(description.format == "jwt" || description.format == "opaque");
});
