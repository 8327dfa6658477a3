use copilot_keyless::Variables;
use copilot_keyless::environment::{Variable, proxy_variable, runtime_proxy_variable};

/// An address, the environment and the variable.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);

const HTTPS: (&str, &str) = ("HTTPS_PROXY", "set");

#[test]
fn the_runtime_uses_the_first_proxy_that_no_proxy_does_not_exclude() {
    let rows: &[Row] = &[
        ("https://a.example/v1", &[HTTPS], Some("HTTPS_PROXY")),
        (
            "https://a.example/v1",
            &[("https_proxy", "set")],
            Some("https_proxy"),
        ),
        (
            "https://a.example/v1",
            &[("http_proxy", "set")],
            Some("http_proxy"),
        ),
        ("https://a.example/v1", &[("HTTPS_PROXY", "")], None),
        ("https://a.example/v1", &[("ALL_PROXY", "set")], None),
        (
            "https://a.example/v1",
            &[HTTPS, ("NO_PROXY", "b.example")],
            Some("HTTPS_PROXY"),
        ),
        (
            "https://a.example/v1",
            &[HTTPS, ("NO_PROXY", "b, A.example")],
            None,
        ),
        ("https://a.example/v1", &[HTTPS, ("no_proxy", ".example")], None),
        ("https://a.example/v1", &[HTTPS, ("NO_PROXY", "*.example")], None),
        (
            "https://a.example/v1",
            &[HTTPS, ("NO_PROXY", "a.example:443")],
            None,
        ),
        (
            "http://a.example/v1",
            &[HTTPS, ("NO_PROXY", "a.example:80")],
            None,
        ),
        (
            "https://a.example/v1",
            &[HTTPS, ("NO_PROXY", "a.example:8443")],
            Some("HTTPS_PROXY"),
        ),
        (
            "https://a.example:8443",
            &[HTTPS, ("NO_PROXY", "a.example:8443")],
            None,
        ),
        ("https://a.example/v1", &[HTTPS, ("NO_PROXY", "*")], None),
        (
            "https://aa.example/v1",
            &[HTTPS, ("NO_PROXY", "a.example")],
            Some("HTTPS_PROXY"),
        ),
        ("http://127.0.0.1:9/v1", &[HTTPS], Some("HTTPS_PROXY")),
        ("http://[::1]/v1", &[HTTPS, ("NO_PROXY", "[::1]")], None),
        ("a.example", &[HTTPS], None),
    ];
    for (url, env, expected) in rows {
        let env: Variables = env.iter().copied().collect();
        let found = runtime_proxy_variable(url, &env).map(Variable::as_str);
        assert_eq!(found, *expected, "{url} with {env:?}");
    }
}

#[test]
fn azure_identity_reads_all_proxy_too() {
    let env = Variables::from([("ALL_PROXY", "set")]);
    assert_eq!(proxy_variable("a.example:443", &env), Some(Variable::AllProxy));
}
