//! Runs `tables/providers.json`, and checks the invariants of any request.
//!
//! A row is `{ name, request, expect | error }`. `expect` lists some fields of the plan; null
//! stands for a missing field, and `warnings` lists the codes in order.

use std::collections::BTreeSet;

use copilot_keyless::NoticeCode;
use copilot_keyless::environment::resolve;
use copilot_keyless::provider::{ProviderPlan, ProviderRequest, plan};
use copilot_keyless::{Code, Headers, Variables};
use proptest::prelude::*;
use serde_json::Value;

fn rows() -> Vec<Value> {
    serde_json::from_str(table!("providers.json")).unwrap()
}

fn run(row: &Value) -> copilot_keyless::Result<ProviderPlan> {
    plan(&serde_json::from_value::<ProviderRequest>(row["request"].clone()).unwrap())
}

fn codes(plan: &ProviderPlan) -> Vec<&'static str> {
    plan.warnings.iter().map(|notice| notice.code.as_str()).collect()
}

#[test]
fn every_row_of_the_table() {
    let mut failures = Vec::new();
    for row in rows() {
        let outcome = run(&row);
        if let Some(code) = row.get("error") {
            match outcome {
                Err(error) if error.code().as_str() == code && error.next_step().is_some() => {}
                other => failures.push(format!("{row}\n  got {other:?}")),
            }
            continue;
        }
        let plan = match outcome {
            Ok(plan) => plan,
            Err(error) => {
                failures.push(format!("{row}\n  got {error}"));
                continue;
            }
        };
        let actual = serde_json::to_value(&plan).unwrap();
        for (field, expected) in row["expect"].as_object().unwrap() {
            let found = match field.as_str() {
                "warnings" => serde_json::to_value(codes(&plan)).unwrap(),
                _ => actual.get(field).cloned().unwrap_or(Value::Null),
            };
            if found != *expected {
                failures.push(format!("{row}\n  {field} is {found}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_table_reaches_every_code() {
    let mut errors = BTreeSet::new();
    let mut warnings = BTreeSet::new();
    for row in rows() {
        match run(&row) {
            Ok(plan) => warnings.extend(codes(&plan)),
            Err(error) => {
                errors.insert(error.code().as_str());
            }
        }
    }
    for code in [
        NoticeCode::EnvConflict,
        NoticeCode::DeploymentFromPath,
        NoticeCode::ModelAssumed,
    ] {
        assert!(warnings.contains(code.as_str()), "no row warns {}", code.as_str());
    }
    for code in Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| code.starts_with("provider/") && *code != Code::ProviderName.as_str())
    {
        assert!(errors.contains(code), "no row fails with {code}");
    }
}

#[test]
fn a_newcomer_is_told_what_to_set() {
    let error = plan(&ProviderRequest::default()).unwrap_err();
    let hint = error.next_step().unwrap();
    assert!(hint.contains("FOUNDRY_RESOURCE_URL=https://<your-resource>.openai.azure.com"));
    assert!(hint.contains("npm start") && hint.contains("copilot-keyless emulator"));
}

#[test]
fn no_message_repeats_a_value_of_a_header_or_a_variable() {
    let secret = "f00dfeedf00dfeedf00dfeedf00dfeed";
    let endpoint = Some("https://myres.openai.azure.com".to_owned());
    let header = ProviderRequest {
        endpoint: endpoint.clone(),
        headers: Headers::from([("x-a", format!("{secret}\n"))]),
        ..ProviderRequest::default()
    };
    let model = ProviderRequest {
        endpoint,
        model: Some(format!("{secret} x")),
        ..ProviderRequest::default()
    };
    for request in [header, model] {
        assert!(!format!("{:?}", plan(&request).unwrap_err()).contains(secret));
    }
    let env = Variables::from([
        (
            "FOUNDRY_RESOURCE_URL",
            "https://myres.openai.azure.com".to_owned(),
        ),
        (
            "AZURE_OPENAI_ENDPOINT",
            format!("https://other.openai.azure.com?api-key={secret}"),
        ),
    ]);
    let resolved = resolve(&env);
    assert_eq!(resolved.warnings.len(), 1);
    let message = &resolved.warnings[0].message;
    assert!(message.contains("FOUNDRY_RESOURCE_URL") && message.contains("AZURE_OPENAI_ENDPOINT"));
    assert!(!message.contains(secret));
}

#[test]
fn an_environment_without_our_variables_says_nothing() {
    let env = Variables::from([("PATH", "/bin"), ("FOUNDRY_MODEL_NAME", "\t")]);
    let resolved = resolve(&env);
    assert!(resolved.endpoint.is_none() && resolved.model.is_none() && resolved.scope.is_none());
    assert!(resolved.warnings.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_gives_a_sound_plan_or_an_error(
        model in proptest::option::of(prop_oneof!["[a-z0-9.-]{0,9}", any::<String>()]),
        deployment in proptest::option::of(prop_oneof!["[a-z0-9.-]{0,9}", any::<String>()]),
        headers in prop::collection::vec((prop_oneof!["[a-zA-Z-]{0,9}", any::<String>()], prop_oneof!["[ -~]{0,9}", any::<String>()]), 0..3),
        max_prompt_tokens in proptest::option::of(any::<u32>()),
        legacy in prop::bool::ANY,
    ) {
        let path = if legacy { "/openai/deployments/from-path/chat/completions" } else { "" };
        let request = ProviderRequest {
            endpoint: Some(format!("https://myres.openai.azure.com{path}")),
            model, deployment: deployment.clone(), max_prompt_tokens,
            headers: headers.into_iter().collect(),
            ..ProviderRequest::default()
        };
        if let Ok(plan) = plan(&request) {
            prop_assert!(!plan.model.is_empty() && plan.model.bytes().all(|b| b.is_ascii_graphic()));
            let wire = plan.config.wire_model.clone().unwrap_or_else(|| plan.model.clone());
            prop_assert!(wire.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)));
            if let Some(deployment) = deployment {
                prop_assert_eq!(wire.as_str(), deployment.trim());
            } else if legacy {
                prop_assert_eq!(wire.as_str(), "from-path");
            }
            prop_assert_eq!(plan.config.model_id.is_some(), plan.config.wire_model.is_some());
            for (name, value) in plan.config.headers.iter() {
                prop_assert!(!name.eq_ignore_ascii_case("authorization") && !name.eq_ignore_ascii_case("api-key"));
                prop_assert!(!value.expose().contains(['\r', '\n']));
            }
        }
    }
}
