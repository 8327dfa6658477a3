//! Parses any text, with every type: no panic, and an accepted one parses to itself again and keeps
//! its host.
#![no_main]

#[path = "../../core/endpoint/properties.rs"]
mod properties;

use copilot_keyless::endpoint::{Options, ProviderType};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let types = [ProviderType::Openai, ProviderType::Azure, ProviderType::Anthropic];
    for provider_type in [None].into_iter().chain(types.map(Some)) {
        properties::check(
            input,
            &Options {
                provider_type,
                ..Options::default()
            },
        );
    }
});
