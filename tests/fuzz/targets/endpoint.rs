//! Any text: no panic, and what is accepted gives itself again and keeps its host.
#![no_main]

use copilot_keyless::endpoint::{Options, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let options = Options::default();
    if let Ok(endpoint) = parse(input, &options) {
        let again = parse(&endpoint.base_url, &options);
        assert_eq!(again.as_ref().map(|again| &again.base_url), Ok(&endpoint.base_url), "{input:?}");
        let host = endpoint.base_url.split('/').nth(2).unwrap_or_default();
        let name = host.split(':').next().unwrap_or_default();
        let given = input.to_ascii_lowercase();
        let kept = given.contains(name) || given.replace("privatelink.", "").contains(name);
        assert!(kept || host.starts_with('['), "{input:?}");
    }
});
