//! Runs `tables/credentials.json`, and checks the invariants of any environment.
//!
//! A row is `{ name, cloud?, env, expect | error, says? }`. `expect` lists some fields of the plan;
//! null stands for a missing field, and `warnings` lists the codes in order. `says` are parts of
//! the error's message or hint. Values that must never be shown contain the word `pl4nted`.

use std::collections::BTreeSet;

use copilot_keyless::NoticeCode;
use copilot_keyless::Variables;
use copilot_keyless::endpoint::Cloud;
use copilot_keyless::environment::{CredentialKind, CredentialPlan, Origin, credential, has_direct_fallback};
use copilot_keyless::provider::{ProviderRequest, plan};
use proptest::prelude::*;
use serde_json::Value;

fn rows() -> Vec<Value> {
    serde_json::from_str(table!("credentials.json")).unwrap()
}

fn run(row: &Value) -> copilot_keyless::Result<CredentialPlan> {
    let env: Variables = serde_json::from_value(row["env"].clone()).unwrap();
    let cloud = row.get("cloud").unwrap_or(&Value::Null);
    let cloud: Option<Cloud> = serde_json::from_value(cloud.clone()).unwrap();
    credential(&env, cloud.unwrap_or(Cloud::Public))
}

fn codes(plan: &CredentialPlan) -> Vec<&'static str> {
    plan.warnings.iter().map(|notice| notice.code.as_str()).collect()
}

/// Returns the fault of a row's result.
fn failure(row: &Value) -> Option<String> {
    let outcome = run(row);
    if format!("{outcome:?}").contains("pl4nted") {
        return Some(format!("a secret is shown: {outcome:?}"));
    }
    match (outcome, row.get("error")) {
        (Err(error), Some(code)) => {
            let text = format!("{} {}", error.message(), error.next_step().unwrap_or_default());
            let says = row["says"].as_array().cloned().unwrap_or_default();
            let says_all = says.iter().all(|part| text.contains(part.as_str().unwrap()));
            let sound = error.code().as_str() == code && error.next_step().is_some() && says_all;
            (!sound).then(|| format!("got {error:?}"))
        }
        (Ok(plan), None) => {
            let mut actual = serde_json::to_value(&plan).unwrap();
            actual["warnings"] = serde_json::to_value(codes(&plan)).unwrap();
            row["expect"]
                .as_object()
                .unwrap()
                .iter()
                .find_map(|(field, expected)| {
                    let found = actual.get(field).unwrap_or(&Value::Null);
                    (found != expected).then(|| format!("{field} is {found}"))
                })
        }
        (outcome, _) => Some(format!("got {outcome:?}")),
    }
}

#[test]
fn every_row_of_the_table() {
    let failures: Vec<String> = rows()
        .iter()
        .filter_map(|row| Some(format!("{row}\n  {}", failure(row)?)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_table_reaches_every_warning_and_kind() {
    let plans: Vec<CredentialPlan> = rows().iter().filter_map(|row| run(row).ok()).collect();
    let warned: BTreeSet<&str> = plans.iter().flat_map(codes).collect();
    for code in NoticeCode::ALL
        .iter()
        .skip_while(|code| **code != NoticeCode::CredentialChain)
    {
        assert!(warned.contains(code.as_str()), "no row warns {}", code.as_str());
    }
    for (name, kind) in names() {
        assert!(plans.iter().any(|plan| plan.kind == kind), "no row plans {name}");
    }
}

/// The names that `@azure/identity` 4.13 accepts, and their kinds.
fn names() -> [(&'static str, CredentialKind); 9] {
    [
        ("dev", CredentialKind::DeveloperTools),
        ("prod", CredentialKind::DeployedService),
        ("environmentcredential", CredentialKind::Environment),
        ("workloadidentitycredential", CredentialKind::WorkloadIdentity),
        ("managedidentitycredential", CredentialKind::ManagedIdentity),
        ("visualstudiocodecredential", CredentialKind::VisualStudioCode),
        ("azureclicredential", CredentialKind::AzureCli),
        ("azurepowershellcredential", CredentialKind::AzurePowerShell),
        ("azuredeveloperclicredential", CredentialKind::AzureDeveloperCli),
    ]
}

fn request(endpoint: &str, env: &[(&str, &str)]) -> ProviderRequest {
    ProviderRequest {
        endpoint: Some(endpoint.to_owned()),
        env: env.iter().copied().collect(),
        ..ProviderRequest::default()
    }
}

#[test]
fn the_environment_is_asked_only_where_its_credential_is_used() {
    let wrong = [("AZURE_TOKEN_CREDENTIALS", "nonsense")];
    let asked = request("https://myres.openai.azure.com", &wrong);
    assert_eq!(
        plan(&asked).unwrap_err().code().as_str(),
        "credential/configuration"
    );
    let own = ProviderRequest {
        own_credential: true,
        ..asked
    };
    let credential = plan(&own).unwrap().credential;
    assert_eq!(
        (credential.kind, credential.source),
        (CredentialKind::Option, Origin::Option)
    );
    let local = plan(&request("http://localhost:5273", &wrong)).unwrap();
    assert_eq!(local.credential.kind, CredentialKind::None);
}

#[test]
fn only_a_credential_of_ones_own_must_be_told_the_authority() {
    let ours = request("https://myres.openai.azure.us", &[]);
    let warns = |request: &ProviderRequest| {
        let warnings = plan(request).unwrap().warnings;
        warnings
            .iter()
            .any(|notice| notice.code == NoticeCode::AuthorityHostRequired)
    };
    assert!(!warns(&ours));
    assert!(warns(&ProviderRequest {
        own_credential: true,
        ..ours
    }));
}

#[test]
fn the_credentials_warnings_do_not_nag() {
    let plan = plan(&request("https://myres.openai.azure.com", &[])).unwrap();
    assert_eq!(codes(&plan.credential), ["credential-chain"]);
    assert!(plan.warnings.is_empty());
}

const SECRET: [&str; 16] = [
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "IMDS_ENDPOINT",
    "HTTPS_PROXY",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "SYSTEM_OIDCREQUESTURI",
    "SYSTEM_ACCESSTOKEN",
];

const PLAIN: [&str; 16] = [
    "AZURE_TOKEN_CREDENTIALS",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_AUTHORITY_HOST",
    "NO_PROXY",
    "WEBSITE_SITE_NAME",
    "FUNCTIONS_WORKER_RUNTIME",
    "CONTAINER_APP_NAME",
    "KUBERNETES_SERVICE_HOST",
    "IDENTITY_SERVER_THUMBPRINT",
    "FOUNDRY_HOSTING_ENVIRONMENT",
    "FOUNDRY_AGENT_INSTANCE_CLIENT_ID",
    "FOUNDRY_AGENT_TENANT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_TENANT_ID",
];

fn plain_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
        "(https?://)?login\\.(microsoftonline\\.(com|us)|chinacloudapi\\.cn|contoso\\.com)(:[0-9]{1,5})?/?",
        prop::sample::select(names().map(|(name, _)| name.to_owned()).to_vec()),
    ]
}

/// Whether the error concerns an invalid tenant or authority host.
fn names_a_setting(error: &copilot_keyless::Error) -> bool {
    [
        "AZURE_TENANT_ID",
        "AZURESUBSCRIPTION_TENANT_ID",
        "AZURE_AUTHORITY_HOST",
    ]
    .iter()
    .any(|name| error.message().starts_with(name))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_environment_gives_a_plan_or_an_error_and_shows_no_secret(
        secrets in prop::collection::btree_map(prop::sample::select(&SECRET[..]), "~[!-~]{0,20}5ecret[ -~]{0,20}", 0..8),
        plain in prop::collection::btree_map(prop::sample::select(&PLAIN[..]), plain_value(), 0..6),
        pasted in prop::option::weighted(0.1, "~[!-~]{0,20}5ecret[ -~]{0,20}"),
        cloud in prop::sample::select(vec![Cloud::Public, Cloud::Usgov, Cloud::China, Cloud::Unknown]),
    ) {
        let mut env: Variables = secrets.iter().chain(&plain).map(|(name, value)| (*name, value.as_str())).collect();
        if let Some(pasted) = pasted {
            env.insert("AZURE_TOKEN_CREDENTIALS", pasted);
        }
        let outcome = credential(&env, cloud);
        prop_assert!(!format!("{outcome:?}").contains("5ecret"), "{:?}", outcome);
        // Only the presence of a secret counts: the npm package passes no more to the core.
        let passed = env.iter().map(|(name, value)| {
            (name, if secrets.contains_key(name) { "set" } else { value.expose() })
        });
        prop_assert_eq!(&credential(&passed.collect(), cloud), &outcome);
        let named = env.get("AZURE_TOKEN_CREDENTIALS").map(|value| value.expose().trim().to_lowercase()).filter(|value| !value.is_empty());
        match (outcome, named) {
            (Err(error), Some(named)) => {
                prop_assert_eq!(error.code().as_str(), "credential/configuration");
                let misnamed = !names().iter().any(|(name, _)| *name == named);
                prop_assert!(misnamed || names_a_setting(&error), "{:?}", error);
            }
            (Ok(plan), Some(named)) => {
                let kind = names().into_iter().find(|(name, _)| *name == named).map(|(_, kind)| kind);
                prop_assert_eq!(Some(plan.kind), kind);
                prop_assert_eq!(plan.source.as_str(), "AZURE_TOKEN_CREDENTIALS");
            }
            (Ok(plan), None) => prop_assert!(plan.source == Origin::Default || env.get(plan.source.as_str()).is_some()),
            (Err(error), None) => prop_assert!(names_a_setting(&error), "{:?}", error),
        }
    }
}

#[test]
fn the_direct_credential_takes_over_for_a_managed_identity_alone() {
    const ENDPOINT: [(&str, &str); 2] = [("IDENTITY_ENDPOINT", "set"), ("IDENTITY_HEADER", "set")];
    const MACHINE_LEARNING: [(&str, &str); 2] = [("MSI_ENDPOINT", "set"), ("MSI_SECRET", "set")];
    const FEDERATED: [(&str, &str); 3] = [
        ("AZURE_CLIENT_ID", "11111111-1111-4111-8111-111111111111"),
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_FEDERATED_TOKEN_FILE", "set"),
    ];
    let falls_back = |chosen: Option<&str>, pairs: &[(&str, &str)]| {
        let chosen = chosen.map(|name| ("AZURE_TOKEN_CREDENTIALS", name));
        let env = pairs.iter().copied().chain(chosen).collect();
        // With the agent of Azure Arc, MSAL asks it unless the environment has another endpoint.
        let with_agent = has_direct_fallback(&env, true);
        let without_agent = has_direct_fallback(&env, false);
        let endpoint = pairs
            .iter()
            .any(|(name, _)| matches!(*name, "IDENTITY_HEADER" | "MSI_SECRET"));
        assert_eq!(with_agent, without_agent && endpoint, "{pairs:?}");
        without_agent
    };
    for (chosen, pairs, expected) in [
        (None, &ENDPOINT[..], true),
        (Some("ManagedIdentityCredential"), &ENDPOINT, true),
        (Some("prod"), &ENDPOINT, true),
        // A virtual machine has no variables.
        (Some("ManagedIdentityCredential"), &[], true),
        (Some("ManagedIdentityCredential"), &MACHINE_LEARNING, true),
        // The chain may find anything.
        (None, &[], false),
        (Some("prod"), &[], false),
        (Some("dev"), &ENDPOINT, false),
        (Some("AzureCliCredential"), &ENDPOINT, false),
        (Some("nonsense"), &ENDPOINT, false),
        // The federated token comes first, or is exchanged.
        (None, &FEDERATED, false),
        (Some("ManagedIdentityCredential"), &FEDERATED, false),
        (Some("prod"), &[&ENDPOINT[..], &FEDERATED].concat(), false),
    ] {
        assert_eq!(falls_back(chosen, pairs), expected, "{chosen:?} {pairs:?}");
    }
}
