//! Asks the gateway for any target with any headers: no panic, and what is forwarded is read alike
//! by another reader of URLs (WHATWG's, in the crate `url`), stays below a route of the resource,
//! and has no key and no header of the connection. The input is the target, then headers, a line
//! each.
#![no_main]

use copilot_keyless::gateway::{Admission, Gateway, Incoming, Pair, Upstream};
use libfuzzer_sys::fuzz_target;
use url::Url;

const ORIGIN: &str = "https://myres.services.ai.azure.com";
const KEY: &str = "key-of-the-fuzzer-1";
const OF_THE_CONNECTION: [&str; 11] = [
    "authorization",
    "api-key",
    "x-api-key",
    "host",
    "connection",
    "transfer-encoding",
    "content-length",
    "te",
    "upgrade",
    "keep-alive",
    "expect",
];

fuzz_target!(|input: &str| {
    let mut lines = input.split('\n');
    let target = lines.next().unwrap_or_default();
    let given: Vec<Pair<'_>> = lines.filter_map(|line| line.split_once(": ")).collect();
    // With the key and a good host before them, so that most requests reach the rules of paths.
    let mut headers = vec![("host", "127.0.0.1:4141"), ("api-key", KEY)];
    headers.extend(&given);
    for base in ["/openai/v1/", "/api/projects/p/openai/v1/", "/team/openai/v1"] {
        for headers in [&headers, &given] {
            check(&format!("{ORIGIN}{base}"), target, headers);
        }
    }
});

fn check(base: &str, target: &str, headers: &[Pair<'_>]) {
    let gateway = Gateway {
        upstream: Upstream::of(base),
        key: KEY.into(),
        hosts: Some(Vec::new()),
        origins: Vec::new(),
    };
    let request = Incoming {
        method: "POST",
        target,
        headers,
    };
    let Admission::Forward(forward) = gateway.admit(request) else {
        return;
    };
    assert!(
        headers.iter().any(|(_, value)| value.contains(KEY)),
        "without the key"
    );

    let (path, query) = forward
        .target
        .split_once('?')
        .map_or((&*forward.target, None), |(path, query)| (path, Some(query)));
    // An endpoint without a project serves all of them.
    let project = if base.contains("/projects/") {
        "/api/projects/p/"
    } else {
        "/api/projects/"
    };
    let allowed = ["/openai/", "/anthropic/v1/", project];
    let rest = path.strip_prefix("/team").unwrap_or(path);
    // Azure compares the names of projects without their case.
    let whole = format!("{}/", rest.to_ascii_lowercase());
    assert!(allowed.iter().any(|start| whole.starts_with(start)), "{path}");
    let url = Url::parse(&format!("{ORIGIN}{}", forward.target)).expect("a URL");
    assert_eq!(url.origin().ascii_serialization(), ORIGIN);
    assert_eq!(url.path(), path);
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    // It writes an apostrophe in a query as %27.
    let query = query.map(|query| query.replace('\'', "%27"));
    assert_eq!(url.query(), query.as_deref());

    for (name, value) in &forward.headers {
        let name = name.to_ascii_lowercase();
        assert!(!OF_THE_CONNECTION.contains(&&*name), "{name}");
        assert!(!value.contains(['\r', '\n', '\0']), "{name}");
    }
}
