//! Runs `tables/credential-failures.json`, and checks the invariants of any diagnosis of a
//! credential.
//!
//! A row is `{ id, source, category, status?, message?, body?, env?, code, ... }`: a failure from a
//! public report, or one in the words of Microsoft's documentation. `source` names where it can be
//! looked up. `cause`, `fixes` and `links` list texts that must occur there.

use std::collections::BTreeSet;

use copilot_keyless::diagnosis::{
    CredentialDiagnosis, CredentialDiagnosisCode, FailedCredential, diagnose_credential,
};
use proptest::prelude::*;
use serde_json::Value;

fn rows() -> Vec<Value> {
    serde_json::from_str(table!("credential-failures.json")).unwrap()
}

fn run(row: &Value) -> CredentialDiagnosis {
    let mut failure = row.clone();
    failure["error"] = row["message"].clone();
    if row["errors"].is_null() {
        failure["errors"] = Value::Array(Vec::new());
    }
    diagnose_credential(&serde_json::from_value::<FailedCredential>(failure).unwrap())
}

#[test]
fn every_row_of_the_table() {
    let mut faults = Vec::new();
    for row in rows() {
        let id = &row["id"];
        let found = serde_json::to_value(run(&row)).unwrap();
        if found["code"] != row["code"] {
            faults.push(format!("{id}: {} instead of {}", found["code"], row["code"]));
        }
        for field in ["cause", "fixes", "links", "aadsts", "credential"] {
            let said = found[field].to_string();
            for text in row[field].as_array().into_iter().flatten() {
                let quoted = text.to_string();
                if !said.contains(quoted.trim_matches('"')) {
                    faults.push(format!("{id}: no {text} in {field} {said}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_table_reaches_every_code_and_names_every_source() {
    let reached: BTreeSet<String> = rows()
        .iter()
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .collect();
    let all: BTreeSet<String> = CredentialDiagnosisCode::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect();
    assert_eq!(reached, all);
    let mut ids = BTreeSet::new();
    for row in rows() {
        assert!(ids.insert(row["id"].to_string()), "{} occurs twice", row["id"]);
        assert!(!row["source"].as_str().unwrap().is_empty());
    }
}

#[test]
fn every_failure_is_explained_and_has_a_next_step() {
    for row in rows() {
        let found = run(&row);
        assert_eq!(found.title, found.code.title());
        assert!(!found.fixes.is_empty(), "{row}");
        for text in found.fixes.iter().chain([&found.cause]) {
            // Indented lines are YAML.
            assert!(
                !text.trim().is_empty() && !text.replace("\n  ", "\n").contains("  "),
                "{text}"
            );
            assert!(!text.contains("{}"), "{text}");
        }
    }
}

fn with_text(error: &str) -> CredentialDiagnosis {
    diagnose_credential(&FailedCredential {
        error: Some(error.into()),
        ..FailedCredential::default()
    })
}

/// Texts beside a rule, which a broader rule would take for its own.
#[test]
fn rules_leave_texts_beside_them_alone() {
    for (text, code) in [
        (
            "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac (_ssl.c:2580)",
            "tls",
        ),
        (
            "dial tcp 169.254.169.254:80: connect: permission denied (scope https://x.azure.com/.default)",
            "imds-unreachable",
        ),
        (
            "Failed to get token from MSI: connect ECONNREFUSED 127.0.0.1:41056",
            "network",
        ),
        ("Unable to get token from MSI endpoint", "no-managed-identity"),
        (
            "EnvironmentCredential authentication failed: status code 503",
            "server-error",
        ),
        ("AzureCliCredential: HTTP 503", "server-error"),
        ("WorkloadIdentityCredential: status 502", "server-error"),
        ("EnvironmentCredential: HTTP 407", "proxy"),
        ("nmi response failed with status code: 500", "server-error"),
        (
            "Federated service at https://sts.contoso.com/x returned error: (503) Server Unavailable",
            "server-error",
        ),
        ("Please login using Connect-AzAccount", "not-signed-in"),
        ("IndexError: list index out of range", "library-fault"),
        (
            "Make sure the refresh token is valid and not expired",
            "sign-in-expired",
        ),
    ] {
        assert_eq!(with_text(text).code.as_str(), code, "{text}");
    }
}

#[test]
fn numbers_of_entra_are_read_in_every_form_and_as_a_whole() {
    for text in [
        "AADSTS7000222: expired",
        r#"{"error":"invalid_client","error_codes":[7000222]}"#,
        "invalid_client: 7000222 - [2024-07-08 08:08:48Z]: x",
        "https://login.microsoftonline.com/error?code=7000222",
    ] {
        assert_eq!(with_text(text).aadsts, [7_000_222], "{text}");
        assert_eq!(
            with_text(text).code,
            CredentialDiagnosisCode::SecretExpired,
            "{text}"
        );
    }
    // A longer number is another error.
    assert_eq!(
        with_text("AADSTS70002220: x").code,
        CredentialDiagnosisCode::Unknown
    );
    let none: [u32; 0] = [];
    assert_eq!(with_text("AADSTS: x, AADSTS1234567890123").aadsts, none);
}

/// The same chain in the words of each library.
const CHAINS: [(&str, &str); 6] = [
    (
        "JavaScript",
        "ChainedTokenCredential authentication failed.\nCredentialUnavailableError: EnvironmentCredential is unavailable. No underlying credential could be used. To troubleshoot, visit https://aka.ms/azsdk/js/identity/environmentcredential/troubleshoot.\nCredentialUnavailableError: ManagedIdentityCredential: Authentication failed. Message Attempted to use the IMDS endpoint, but it is not available.\nCredentialUnavailableError: Please run 'az login' from a command prompt to authenticate before using this credential.\nCredentialUnavailableError: Azure Developer CLI couldn't be found.",
    ),
    (
        "Python",
        "DefaultAzureCredential failed to retrieve a token from the included credentials.\nAttempted credentials:\n\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are not fully configured.\nVisit https://aka.ms/azsdk/python/identity/environmentcredential/troubleshoot to troubleshoot this issue.\n\tManagedIdentityCredential: ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint.\n\tAzureCliCredential: Please run 'az login' to set up an account\n\tAzureDeveloperCliCredential: Azure Developer CLI could not be found. Please visit https://aka.ms/azure-dev for installation instructions and then, once installed, authenticate to your Azure account using 'azd auth login'.",
    ),
    (
        ".NET",
        "DefaultAzureCredential failed to retrieve a token from the included credentials. See the troubleshooting guide for more information. https://aka.ms/azsdk/net/identity/defaultazurecredential/troubleshoot\n- EnvironmentCredential authentication unavailable. Environment variables are not fully configured.\n- ManagedIdentityCredential authentication unavailable. No response received from the managed identity endpoint.\n- Please run 'az login' to set up account\n- Azure Developer CLI could not be found.",
    ),
    (
        "Go",
        "DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:\n\tEnvironmentCredential: missing environment variable AZURE_TENANT_ID\n\tManagedIdentityCredential: managed identity timed out. See https://aka.ms/azsdk/go/identity/troubleshoot#dac for more information\n\tAzureCLICredential: ERROR: Please run 'az login' to setup account.\n\tAzureDeveloperCLICredential: Azure Developer CLI not found on path",
    ),
    (
        "Java",
        "EnvironmentCredential authentication unavailable. Environment variables are not fully configured.\nManagedIdentityCredential authentication unavailable. Connection to IMDS endpoint cannot be established, connect timed out.\nAzureCliCredential authentication unavailable. Please run 'az login' to set up account\nAzureDeveloperCliCredential authentication unavailable. Azure Developer CLI not installed.",
    ),
    (
        "a log on one line",
        "failed: DefaultAzureCredential failed to retrieve a token from the included credentials. Attempted credentials: EnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are not fully configured. ManagedIdentityCredential: ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint. AzureCliCredential: Please run 'az login' to set up an account AzureDeveloperCliCredential: Azure Developer CLI could not be found.",
    ),
];

#[test]
fn a_chain_is_told_link_by_link_the_closest_first_in_every_language() {
    use CredentialDiagnosisCode as Code;
    for (language, text) in CHAINS {
        let found = with_text(text);
        let links: Vec<_> = found
            .links
            .iter()
            .map(|link| (link.credential, link.code))
            .collect();
        assert_eq!(
            links,
            [
                ("AzureCliCredential", Code::NotSignedIn),
                ("ManagedIdentityCredential", Code::ImdsUnreachable),
                ("AzureDeveloperCliCredential", Code::ToolNotInstalled),
                ("EnvironmentCredential", Code::Configuration),
            ],
            "{language}"
        );
        assert_eq!(found.code, Code::NotSignedIn, "{language}");
        assert_eq!(found.fixes[0], "Sign in:\naz login", "{language}");
        assert!(
            found
                .cause
                .starts_with("Of 4 credentials that were tried, AzureCliCredential")
        );
    }
}

#[test]
fn the_environment_says_which_credential_was_meant() {
    let failure = FailedCredential {
        error: Some(CHAINS[1].1.into()),
        env: [("IDENTITY_ENDPOINT", "set"), ("IDENTITY_HEADER", "set")].into(),
        ..FailedCredential::default()
    };
    let found = diagnose_credential(&failure);
    assert_eq!(found.credential, Some("ManagedIdentityCredential"));
    let tenant = FailedCredential {
        error: Some("Please run 'az login'".into()),
        env: [("AZURE_TENANT_ID", "72f988bf-86f1-41af-91ab-2d7cd011db47")].into(),
        ..FailedCredential::default()
    };
    assert_eq!(
        diagnose_credential(&tenant).fixes[0],
        "Sign in:\naz login --tenant 72f988bf-86f1-41af-91ab-2d7cd011db47"
    );
}

#[test]
fn commands_are_those_of_the_host() {
    let failed = |env: &[(&str, &str)]| {
        let found = diagnose_credential(&FailedCredential {
            body: Some(r#"{"error":"invalid_request","error_description":"Identity not found"}"#.into()),
            env: env.iter().copied().collect(),
            ..FailedCredential::default()
        });
        assert_eq!(found.code, CredentialDiagnosisCode::IdentityNotAssigned);
        found.fixes[0].clone()
    };
    let endpoint = [("IDENTITY_ENDPOINT", "set"), ("IDENTITY_HEADER", "set")];
    let with = |more: &[(&'static str, &'static str)]| [&endpoint[..], more].concat();
    for (env, command) in [
        (with(&[]), "az webapp identity assign"),
        (
            with(&[("FUNCTIONS_WORKER_RUNTIME", "set")]),
            "az functionapp identity assign",
        ),
        (
            with(&[("CONTAINER_APP_NAME", "set")]),
            "az containerapp identity assign",
        ),
    ] {
        let fix = failed(&env);
        assert!(fix.contains(command) && fix.matches("az ").count() == 1, "{fix}");
    }
    assert_eq!(failed(&[]).matches("az ").count(), 3);
}

#[test]
fn errors_of_a_chain_that_are_kept_apart_are_its_links() {
    let found = diagnose_credential(&FailedCredential {
        error: Some("ChainedTokenCredential authentication failed.".into()),
        errors: vec![
            "CredentialUnavailableError: EnvironmentCredential is unavailable. No underlying credential could be used.".into(),
            "AuthenticationError: ManagedIdentityCredential: AADSTS500011: The resource principal named https://x.example was not found in the tenant named Contoso.".into(),
        ],
        ..FailedCredential::default()
    });
    assert_eq!(found.code, CredentialDiagnosisCode::WrongScope);
    assert_eq!(found.aadsts, [500_011]);
    assert_eq!(found.links.len(), 2);
    assert!(found.links[0].text.contains("AADSTS500011"));
}

#[test]
fn values_that_could_be_anything_are_not_quoted() {
    for text in [
        "AADSTS7000222: The secret for app 'x; rm -rf /' has expired",
        "AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:x/$(reboot):ref'",
        "AADSTS700213: No matching federated identity record found for presented assertion subject 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln'",
        "AADSTS90002: Tenant 'x`reboot`.com' not found",
        "AADSTS500011: The resource principal named https://x/$(reboot) was not found",
    ] {
        let shown = serde_json::to_string(&with_text(text)).unwrap();
        for part in ["rm -rf", "reboot", "eyJ"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}

/// Errors from parts of real ones, and arbitrary text.
fn error() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("AADSTS7000215: Invalid client secret provided for app '".to_owned()),
        Just("assertion subject '".to_owned()),
        Just("tenant ".to_owned()),
        Just("audience ".to_owned()),
        Just("EnvironmentCredential: ".to_owned()),
        Just("\nCredentialUnavailableError: ".to_owned()),
        Just("DefaultAzureCredential ".to_owned()),
        Just("\\r\\n\\u0027".to_owned()),
        Just("az login\n- ".to_owned()),
        "\\PC{0,12}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_failure_is_diagnosed_and_no_secret_shown(
        before in error(),
        after in error(),
        secret in "[A-Za-z0-9_~-]{64,80}",
        status in proptest::option::of(0u16..700),
        apart in any::<bool>(),
    ) {
        let text = format!("{before}{secret}{after}");
        let found = diagnose_credential(&FailedCredential {
            errors: if apart { vec![text.as_str().into(), after.as_str().into()] } else { Vec::new() },
            error: Some(text.into()),
            status,
            body: Some(format!("{secret}{before}").into()),
            ..FailedCredential::default()
        });
        prop_assert!(!serde_json::to_string(&found).unwrap().contains(&secret));
        prop_assert!(!found.fixes.is_empty() && found.aadsts.len() <= 200);
    }
}

#[test]
fn long_errors_that_repeat_themselves_take_no_long_time() {
    let started = crate::processor::Processor::start();
    for piece in [
        "status ",
        "'az",
        "AADSTS",
        "EnvironmentCredential: ",
        "\n- Azure CLI ",
        "tenant app subject ",
    ] {
        with_text(&piece.repeat(70_000 / piece.len()));
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
