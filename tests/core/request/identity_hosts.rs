//! The token requests of Foundry hosted agents, jobs, sidecars, Service Fabric, Azure Machine
//! Learning and AKS identity bindings, and the judgement of their answers.

use copilot_keyless::request::identity::{Answer, Call, Request, Sidecar, Source, Verdict, call, judge};
use copilot_keyless::{Code, Error, Headers};

const SCOPE: &str = "https://ai.azure.com/.default";
const AGENT: &str = "44444444-4444-4444-4444-444444444444";

fn request(pairs: &[&[(&str, &str)]]) -> Request {
    Request {
        scopes: vec![SCOPE.to_owned()],
        env: pairs.concat().iter().copied().collect(),
        ..Request::default()
    }
}

fn planned(request: &Request) -> Call {
    call(request).unwrap()
}

fn refused(request: &Request) -> Error {
    let error = call(request).unwrap_err();
    assert!(error.next_step().is_some(), "{error}");
    error
}

const HOSTED: [(&str, &str); 2] = [
    ("FOUNDRY_HOSTING_ENVIRONMENT", "production"),
    ("FOUNDRY_AGENT_INSTANCE_CLIENT_ID", AGENT),
];
const ENDPOINT: [(&str, &str); 2] = [
    ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token"),
    ("IDENTITY_HEADER", "set"),
];
const APPLICATION: [(&str, &str); 2] = [("AZURE_CLIENT_ID", "app"), ("AZURE_TENANT_ID", "contoso.com")];
const ACTIONS: [(&str, &str); 2] = [
    (
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "https://run.example/7//idtoken/a/b?api-version=2.0",
    ),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "set"),
];
const PIPELINES: [(&str, &str); 2] = [
    (
        "SYSTEM_OIDCREQUESTURI",
        "https://dev.azure.com/o/p/_apis/oidctoken",
    ),
    ("SYSTEM_ACCESSTOKEN", "set"),
];
const CONNECTION: [(&str, &str); 3] = [
    ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection"),
    ("AZURESUBSCRIPTION_CLIENT_ID", AGENT),
    ("AZURESUBSCRIPTION_TENANT_ID", "contoso.com"),
];
const MACHINE_LEARNING: [(&str, &str); 3] = [
    ("MSI_ENDPOINT", "http://127.0.0.1:42/token"),
    ("MSI_SECRET", "set"),
    ("DEFAULT_IDENTITY_CLIENT_ID", "default"),
];
const THUMBPRINT: (&str, &str) = (
    "IDENTITY_SERVER_THUMBPRINT",
    "AB:CD:EF:01 23456789abcdef0123456789abcdef01",
);

#[test]
fn a_hosted_agent_asks_for_its_instance_identity() {
    let app_service = planned(&request(&[&HOSTED, &ENDPOINT]));
    assert_eq!(app_service.source, Source::AppService);
    assert!(app_service.url.ends_with(&format!("&client_id={AGENT}")));
    let imds = planned(&request(&[&HOSTED]));
    assert_eq!(imds.source, Source::Imds);
    assert!(imds.url.ends_with(&format!("&client_id={AGENT}")));
    let empty = planned(&request(&[&HOSTED, &[("FOUNDRY_HOSTING_ENVIRONMENT", " ")]]));
    assert!(!empty.url.contains(AGENT));
    let own = planned(&request(&[&HOSTED, &ENDPOINT, &[("AZURE_CLIENT_ID", "own")]]));
    assert!(own.url.ends_with("&client_id=own"));
}

#[test]
fn github_actions_asks_for_an_assertion_and_exchanges_it() {
    let call = planned(&request(&[&ACTIONS, &APPLICATION]));
    assert_eq!(call.source, Source::GithubActions);
    assert_eq!(
        call.url,
        "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
    );
    let place = call.secret.unwrap();
    assert_eq!((place.name, place.variable), ("client_assertion", None));
    let assertion = call.assertion_call.unwrap();
    assert_eq!(
        assertion.url,
        "https://run.example/7//idtoken/a/b?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
    );
    assert_eq!(assertion.form, None);
    let secret = assertion.secret.unwrap();
    assert_eq!((secret.name, secret.prefix), ("authorization", "Bearer "));
    assert_eq!(
        secret.variable.unwrap().as_str(),
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
    );
}

#[test]
fn the_audience_is_that_of_the_cloud() {
    for (authority, audience) in [
        ("https://login.microsoftonline.us", "AzureADTokenExchangeUSGov"),
        ("https://login.chinacloudapi.cn/", "AzureADTokenExchangeChina"),
        ("http://localhost:8080", "AzureADTokenExchange"),
    ] {
        let given = Request {
            authority_host: Some(authority.to_owned()),
            ..request(&[&ACTIONS, &APPLICATION])
        };
        let by_option = planned(&given).assertion_call.unwrap().url;
        assert!(by_option.ends_with(&format!("%2F%2F{audience}")), "{by_option}");
        let by_variable = planned(&request(&[
            &ACTIONS,
            &APPLICATION,
            &[("AZURE_AUTHORITY_HOST", authority)],
        ]));
        assert_eq!(by_variable.assertion_call.unwrap().url, by_option);
    }
}

#[test]
fn a_variable_sends_the_token_of_a_job_to_no_unknown_authority() {
    for job in [
        &[&ACTIONS[..], &APPLICATION].concat()[..],
        &[&PIPELINES[..], &CONNECTION].concat(),
    ] {
        let own = "https://login.private.example";
        let by_option = |variable| Request {
            authority_host: Some(own.to_owned()),
            ..request(&[job, &[("AZURE_AUTHORITY_HOST", variable)]])
        };
        for host in [
            "https://evil.example",
            "https://login.microsoftonline.com.evil.example",
            "https://evil-login.microsoftonline.com/",
            "https://localhost.evil.example",
            "https://127.0.0.2",
            "https://2130706433",
        ] {
            let by_variable = request(&[job, &[("AZURE_AUTHORITY_HOST", host)]]);
            for source in [None, Some(planned(&by_option(host)).source)] {
                let error = refused(&Request {
                    source,
                    ..by_variable.clone()
                });
                assert_eq!(error.code(), Code::CredentialConfiguration, "{host}");
                assert!(error.message().starts_with("AZURE_AUTHORITY_HOST"), "{error}");
                assert!(!error.message().contains("evil"), "{error}");
            }
            // The option decides, whatever the variable says.
            assert!(planned(&by_option(host)).url.starts_with(own));
        }
        for host in [
            "https://sts.windows.net",
            "https://127.0.0.1:8443",
            "http://[::1]:80",
        ] {
            let call = planned(&request(&[job, &[("AZURE_AUTHORITY_HOST", host)]]));
            assert!(call.url.starts_with(host), "{}", call.url);
        }
    }
    // A workload identity may sign in at a private authority.
    let federated = [
        ("AZURE_FEDERATED_TOKEN_FILE", "set"),
        ("AZURE_AUTHORITY_HOST", "https://login.private.example"),
    ];
    assert_eq!(
        planned(&request(&[&APPLICATION, &federated])).source,
        Source::WorkloadIdentity
    );
}

#[test]
fn azure_pipelines_asks_for_an_assertion_of_the_service_connection() {
    let call = planned(&request(&[&PIPELINES, &CONNECTION]));
    assert_eq!(call.source, Source::AzurePipelines);
    assert!(call.form.unwrap().contains(&format!("client_id={AGENT}")));
    let assertion = call.assertion_call.unwrap();
    assert_eq!(
        assertion.url,
        "https://dev.azure.com/o/p/_apis/oidctoken?api-version=7.1&serviceConnectionId=connection"
    );
    assert_eq!(assertion.form.as_deref(), Some(""), "a POST without a body");
    assert_eq!(
        assertion.headers,
        Headers::from([
            ("content-type", "application/json"),
            ("x-tfs-fedauthredirect", "Suppress")
        ])
    );
    let own = Request {
        source: Some(Source::AzurePipelines),
        service_connection_id: Some("other".to_owned()),
        ..request(&[&PIPELINES, &APPLICATION])
    };
    assert!(
        planned(&own)
            .assertion_call
            .unwrap()
            .url
            .ends_with("serviceConnectionId=other")
    );
}

#[test]
fn a_job_sends_its_secret_over_https_only() {
    for url in [
        "http://run.example/token",
        "ftp://run.example",
        "https://a@b/",
        "not a url",
    ] {
        let actions = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "set"),
        ];
        let error = refused(&request(&[&actions, &APPLICATION]));
        assert!(
            error.message().starts_with("ACTIONS_ID_TOKEN_REQUEST_URL"),
            "{error}"
        );
        let pipelines = [("SYSTEM_OIDCREQUESTURI", url), ("SYSTEM_ACCESSTOKEN", "set")];
        let error = refused(&request(&[&pipelines, &CONNECTION]));
        assert!(error.message().starts_with("SYSTEM_OIDCREQUESTURI"), "{error}");
    }
    let loopback = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:41/token"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "set"),
    ];
    let url = planned(&request(&[&loopback, &APPLICATION]))
        .assertion_call
        .unwrap()
        .url;
    assert!(url.starts_with("http://127.0.0.1:41/token?audience="));
}

#[test]
fn what_a_job_lacks_is_named() {
    for (source, pairs, name) in [
        (
            Source::GithubActions,
            &APPLICATION[..],
            "ACTIONS_ID_TOKEN_REQUEST_URL",
        ),
        (Source::GithubActions, &ACTIONS, "AZURE_CLIENT_ID"),
        (Source::AzurePipelines, &CONNECTION, "SYSTEM_OIDCREQUESTURI"),
        (
            Source::AzurePipelines,
            &PIPELINES,
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        ),
    ] {
        let error = refused(&Request {
            source: Some(source),
            ..request(&[pairs])
        });
        assert_eq!(error.code().as_str(), "credential/configuration");
        assert_eq!(error.message(), format!("{name} is not set"));
    }
}

#[test]
fn azure_machine_learning_takes_a_client_id_alone() {
    let call = planned(&request(&[&MACHINE_LEARNING]));
    assert_eq!(call.source, Source::MachineLearning);
    assert_eq!(
        call.url,
        "http://127.0.0.1:42/token?api-version=2017-09-01&resource=https%3A%2F%2Fai.azure.com&clientid=default"
    );
    assert_eq!(call.secret.unwrap().name, "secret");
    let chosen = planned(&request(&[&MACHINE_LEARNING, &[("AZURE_CLIENT_ID", "own")]]));
    assert!(chosen.url.ends_with("&clientid=own"));
    let by_object = Request {
        object_id: Some("o".to_owned()),
        ..request(&[&MACHINE_LEARNING])
    };
    assert!(refused(&by_object).message().contains("client id only"));
}

#[test]
fn service_fabric_is_tested_first_and_pins_the_certificate() {
    let https = [(
        "IDENTITY_ENDPOINT",
        "https://10.0.0.4:2377/metadata/identity/oauth2/token",
    )];
    let call = planned(&request(&[&ENDPOINT, &https, &[THUMBPRINT], &MACHINE_LEARNING]));
    assert_eq!(call.source, Source::ServiceFabric);
    assert!(call.url.contains("?api-version=2019-07-01-preview&resource="));
    assert_eq!(call.secret.unwrap().name, "secret");
    assert_eq!(
        call.tls.unwrap().thumbprint.as_deref(),
        Some("abcdef0123456789abcdef0123456789abcdef01")
    );
    let plain = refused(&request(&[&ENDPOINT, &[THUMBPRINT]]));
    assert!(plain.message().contains("https"), "{plain}");
    let short = refused(&request(&[
        &ENDPOINT,
        &https,
        &[("IDENTITY_SERVER_THUMBPRINT", "abcd")],
    ]));
    assert!(
        short.message().starts_with("IDENTITY_SERVER_THUMBPRINT"),
        "{short}"
    );
}

fn bound(pairs: &[(&str, &str)]) -> Request {
    Request {
        identity_binding: true,
        ..request(&[
            &APPLICATION,
            &[("AZURE_FEDERATED_TOKEN_FILE", "/var/token")],
            pairs,
        ])
    }
}

#[test]
fn an_identity_binding_sends_the_exchange_to_the_proxy() {
    let pairs = [
        ("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1:9443/proxy/"),
        ("AZURE_KUBERNETES_SNI_NAME", "id.ests.aks"),
        ("AZURE_KUBERNETES_CA_FILE", "/var/ca.crt"),
    ];
    let call = planned(&bound(&pairs));
    assert_eq!(
        call.url,
        "https://10.0.0.1:9443/proxy/contoso.com/oauth2/v2.0/token"
    );
    let tls = call.tls.unwrap();
    assert_eq!(tls.server_name.as_deref(), Some("id.ests.aks"));
    assert_eq!(tls.ca_file.as_deref(), Some("/var/ca.crt"));
    let off = Request {
        identity_binding: false,
        ..bound(&pairs)
    };
    assert!(
        planned(&off)
            .url
            .starts_with("https://login.microsoftonline.com/")
    );
    assert_eq!(
        planned(&bound(&[])).tls,
        None,
        "nothing is set: the usual exchange"
    );
}

#[test]
fn an_incomplete_identity_binding_is_refused() {
    let code = |pairs: &[(&str, &str)]| refused(&bound(pairs)).code().as_str();
    let proxy = ("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1");
    assert_eq!(
        code(&[("AZURE_KUBERNETES_SNI_NAME", "id")]),
        "credential/unavailable"
    );
    assert_eq!(
        code(&[
            proxy,
            ("AZURE_KUBERNETES_CA_FILE", "/ca"),
            ("AZURE_KUBERNETES_CA_DATA", "pem")
        ]),
        "credential/configuration"
    );
    for url in [
        "http://10.0.0.1",
        "https://a@10.0.0.1",
        "https://10.0.0.1?x",
        "https://10.0.0.1#x",
    ] {
        assert_eq!(
            code(&[("AZURE_KUBERNETES_TOKEN_PROXY", url)]),
            "credential/configuration",
            "{url}"
        );
    }
}

fn sidecar(url: &str, settings: Sidecar) -> Request {
    Request {
        sidecar: Some(settings),
        ..request(&[&[("SIDECAR_URL", url)]])
    }
}

fn foundry() -> Sidecar {
    Sidecar {
        service: "Foundry".to_owned(),
        ..Sidecar::default()
    }
}

#[test]
fn a_sidecar_is_asked_for_its_service_and_agent() {
    let plain = planned(&sidecar("http://localhost:5178/", foundry()));
    assert_eq!(plain.source, Source::Sidecar);
    assert_eq!(
        plain.url,
        "http://localhost:5178/AuthorizationHeaderUnauthenticated/Foundry"
    );
    let agent = planned(&sidecar(
        "http://unused:1",
        Sidecar {
            url: Some("http://sidecar:5000".to_owned()),
            service: "a b".to_owned(),
            agent_identity: Some(AGENT.to_owned()),
            agent_username: Some("agent@contoso.com".to_owned()),
            overrides: true,
            ..Sidecar::default()
        },
    ));
    assert_eq!(
        agent.url,
        format!(
            "http://sidecar:5000/AuthorizationHeaderUnauthenticated/a%20b?AgentIdentity={AGENT}\
             &AgentUsername=agent%40contoso.com&optionsOverride.Scopes=https%3A%2F%2Fai.azure.com%2F.default"
        )
    );
    let app_only = planned(&sidecar(
        "http://10.0.0.9",
        Sidecar {
            overrides: true,
            ..foundry()
        },
    ));
    assert!(app_only.url.ends_with("&optionsOverride.RequestAppToken=true"));
}

#[test]
fn a_sidecar_that_cannot_be_asked_is_refused() {
    for url in [
        "http://sidecar.example.com",
        "http://8.8.8.8",
        "http://3627734734",
        "http://0xd83ad68e:5000",
        "http://0330.072.0326.0216",
        "ftp://localhost",
        "http://a@localhost",
        "http://localhost?x",
    ] {
        let error = refused(&sidecar(url, foundry()));
        assert!(error.message().contains("sidecar"), "{url}: {error}");
    }
    for settings in [
        Sidecar::default(),
        Sidecar {
            agent_username: Some("u".to_owned()),
            ..foundry()
        },
        Sidecar {
            agent_identity: Some(AGENT.to_owned()),
            agent_username: Some("u".to_owned()),
            agent_user_id: Some("i".to_owned()),
            ..foundry()
        },
        Sidecar {
            agent_identity: Some(" ".to_owned()),
            ..foundry()
        },
    ] {
        refused(&sidecar("http://localhost:5178", settings));
    }
    let error = refused(&Request {
        sidecar: Some(foundry()),
        ..request(&[])
    });
    assert_eq!(error.message(), "SIDECAR_URL is not set");
}

fn judged(source: Source, of_assertion: bool, status: u16, body: &str) -> Verdict {
    judge(&Answer {
        source,
        of_assertion,
        status,
        body: body.into(),
        requested_at: 1_586_981_135_000,
        ..Answer::default()
    })
}

#[test]
fn assertions_are_read_from_the_field_of_the_platform() {
    for (source, body, token) in [
        (
            Source::GithubActions,
            r#"{"count":3,"value":"a.b.c"}"#,
            Some("a.b.c"),
        ),
        (Source::AzurePipelines, r#"{"oidcToken":"a.b.c"}"#, Some("a.b.c")),
        (Source::AzurePipelines, r#"{"value":"a.b.c"}"#, None),
        (Source::GithubActions, r#"{"value":"a b"}"#, None),
        (Source::GithubActions, r#"{"value":null}"#, None),
        (Source::GithubActions, "<html>", None),
    ] {
        match (judged(source, true, 200, body), token) {
            (Verdict::Assertion(found), Some(token)) => assert_eq!(found.expose(), token),
            (Verdict::Error(error), None) => assert!(error.next_step().is_some(), "{body}"),
            (verdict, _) => panic!("{body}: {verdict:?}"),
        }
    }
}

#[test]
fn a_refused_assertion_says_what_the_job_lacks() {
    let hint = |source, status| {
        let Verdict::Failure(failure) = judged(source, true, status, "{}") else {
            unreachable!("a failure")
        };
        assert_eq!(failure.retry_in_ms, None);
        failure.hint.unwrap()
    };
    assert!(hint(Source::GithubActions, 401).contains("id-token to write"));
    // A page to sign in.
    for status in [302, 401] {
        assert!(hint(Source::AzurePipelines, status).contains("SYSTEM_ACCESSTOKEN"));
    }
}

/// A token whose `exp` is 2020-04-15T21:05:35Z.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE1ODY5ODQ3MzV9.c2ln";

#[test]
fn the_expiry_of_a_sidecars_token_is_its_own() {
    let body = format!(r#"{{"authorizationHeader":"Bearer {TOKEN}"}}"#);
    let Verdict::Token(token) = judged(Source::Sidecar, false, 200, &body) else {
        unreachable!("a token")
    };
    assert_eq!(token.token.expose(), TOKEN);
    assert_eq!(token.expires_on_timestamp, 1_586_984_735_000);
    for (body, code) in [
        (
            r#"{"authorizationHeader":"Bearer opaque"}"#.to_owned(),
            "expiry/missing",
        ),
        (
            format!(r#"{{"authorizationHeader":"PoP {TOKEN}"}}"#),
            "expiry/no-token",
        ),
        (r#"{"authorizationHeader":""}"#.to_owned(), "expiry/no-token"),
        ("{}".to_owned(), "expiry/no-token"),
        ("Bearer".to_owned(), "expiry/not-json"),
    ] {
        let Verdict::Error(error) = judged(Source::Sidecar, false, 200, &body) else {
            unreachable!("{body}: an error")
        };
        assert_eq!(error.code().as_str(), code);
        assert!(error.next_step().is_some());
    }
}

#[test]
fn problems_of_a_sidecar_are_told() {
    // learn.microsoft.com/entra/msidweb/agent-id-sdk/endpoints, "Common error patterns".
    let problem = |status: u16, detail: &str| {
        let body = format!(
            r#"{{"type":"https://tools.ietf.org/html/rfc7231","title":"x","status":{status},"detail":"{detail}"}}"#
        );
        let Verdict::Failure(failure) = judged(Source::Sidecar, false, status, &body) else {
            unreachable!("a failure")
        };
        failure
    };
    let unknown = problem(404, "Downstream API 'UnknownService' not configured");
    assert_eq!(unknown.message, "Downstream API 'UnknownService' not configured");
    assert!(unknown.hint.unwrap().contains("DownstreamApis__"));
    let refused = problem(
        500,
        "MSAL.NetCore.invalid_grant: AADSTS50076: Due to a configuration change",
    );
    assert_eq!(
        (refused.code, refused.retry_in_ms),
        (Some(Code::CredentialRefused), None)
    );
    assert_eq!(refused.hint, None, "the number of Entra's error says more");
    let failed = problem(500, "Failed to acquire token for downstream API");
    assert_eq!((failed.code, failed.retry_in_ms), (None, Some(1_000)));
    let away = judged(Source::Sidecar, false, 0, "connect ECONNREFUSED");
    assert!(matches!(away, Verdict::Failure(failure) if failure.hint.unwrap().contains("/healthz")));
}
