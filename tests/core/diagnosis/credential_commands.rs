//! Checks that the commands of a credential's diagnosis contain no word of an attacker who controls
//! the response, and that its causes show only what they should.

use std::collections::BTreeSet;

use copilot_keyless::diagnosis::{
    CredentialDiagnosis, CredentialDiagnosisCode as Code, FailedCredential, diagnose_credential,
};
use serde_json::Value;

const OWN_APP: &str = "1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55";
const OWN_TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// Values of an attacker, in every form that a diagnosis reads. No command has these words.
const PLANTED: [&str; 7] = [
    "0badf00d-5eed-4e71-8e71-0badf00d5eed",
    "zqxjevil.example",
    "zqxjevil.onmicrosoft.com",
    "repo:zqxjevil/pwn:ref:refs/heads/main",
    "https://zqxjevil.example/oidc",
    "api://zqxjevil",
    "https://zqxjevil.azure.com",
];

/// Sentences that name the planted values in the words of Entra and the libraries.
fn planted_sentences() -> Vec<String> {
    let [guid, domain, company, subject, issuer, audience, resource] = PLANTED;
    vec![
        format!("Application with identifier '{guid}' was not found in the directory '{domain}'."),
        format!("for app '{guid}' in tenant '{guid}', client_id={guid}, appid: {guid}"),
        format!("https://login.microsoftonline.com/{company}/oauth2/v2.0/token"),
        format!(
            "assertion subject '{subject}', assertion issuer '{issuer}', assertion audience '{audience}'"
        ),
        format!("The resource principal named {resource} was not found in the tenant named {domain}"),
    ]
}

/// Returns a text with the planted sentences before each line, and after the last one. All GUIDs in
/// it become the planted one.
fn poisoned(text: &str, sentence: &str) -> Vec<String> {
    let with_guids: String = text
        .split_inclusive(|c: char| !(c.is_ascii_hexdigit() || c == '-'))
        .map(|word| {
            let end = word.trim_end_matches(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
            if end.len() == 36 && end.matches('-').count() == 4 {
                word.replace(end, PLANTED[0])
            } else {
                word.to_owned()
            }
        })
        .collect();
    vec![
        format!("{text}\n{sentence}"),
        format!("{sentence}\n{text}"),
        format!("{with_guids} {sentence}"),
        text.replace('\n', &format!(" {sentence}\n")),
    ]
}

fn commands(found: &CredentialDiagnosis) -> Vec<&str> {
    found.fixes.iter().flat_map(|fix| fix.lines().skip(1)).collect()
}

/// Returns the first word of the planted values that the fixes contain.
fn planted_in(found: &CredentialDiagnosis) -> Option<&'static str> {
    let fixes = found.fixes.join("\n").to_ascii_lowercase();
    ["0badf00d", "zqxjevil", "pwn"]
        .into_iter()
        .find(|word| fixes.contains(word))
}

#[test]
fn no_command_holds_a_word_of_an_answer_for_any_code() {
    let rows: Vec<Value> = serde_json::from_str(table!("credential-failures.json")).unwrap();
    let environments: [&[(&str, &str)]; 2] = [
        &[],
        &[("AZURE_CLIENT_ID", OWN_APP), ("AZURE_TENANT_ID", OWN_TENANT)],
    ];
    let mut reached = BTreeSet::new();
    let mut named = false;
    let sentences = planted_sentences();
    let together = sentences.join(" ");
    for (row, single) in rows.iter().zip(sentences.iter().cycle()) {
        let text = |field: &str| row[field].as_str().unwrap_or_default();
        for sentence in [single, &together] {
            let errors = poisoned(text("message"), sentence);
            let bodies = poisoned(text("body"), sentence);
            for (error, body) in errors.into_iter().zip(bodies) {
                for own in environments {
                    let found = diagnose_credential(&FailedCredential {
                        error: Some(error.as_str().into()),
                        body: Some(body.as_str().into()),
                        status: row["status"].as_u64().and_then(|status| status.try_into().ok()),
                        env: own.iter().copied().collect(),
                        ..FailedCredential::default()
                    });
                    assert_eq!(planted_in(&found), None, "{}: {found:?}", row["id"]);
                    let apart = diagnose_credential(&FailedCredential {
                        errors: vec![error.as_str().into(), body.as_str().into()],
                        env: own.iter().copied().collect(),
                        ..FailedCredential::default()
                    });
                    assert_eq!(planted_in(&apart), None, "{}: {apart:?}", row["id"]);
                    named |= found.cause.contains("zqxjevil");
                    reached.insert(found.code.as_str());
                }
            }
        }
    }
    assert!(named, "no cause names a planted value: the test reads nothing");
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(reached, all);
}

fn with_body(body: &str, env: &[(&str, &str)]) -> CredentialDiagnosis {
    diagnose_credential(&FailedCredential {
        body: Some(body.into()),
        env: env.iter().copied().collect(),
        ..FailedCredential::default()
    })
}

#[test]
fn a_federated_credential_is_never_that_of_the_answer() {
    let body = "AADSTS700213: No matching federated identity record found for presented assertion subject \
                'repo:evil/pwn:ref:refs/heads/main'. Check the assertion issuer 'https://evil.example/oidc'.";
    let found = with_body(body, &[("AZURE_CLIENT_ID", OWN_APP)]);
    assert_eq!(found.code, Code::FederatedSubject);
    assert_eq!(
        commands(&found)[1],
        format!(
            "az ad app federated-credential create --id {OWN_APP} --parameters '{{\"name\":\"<name>\",\
             \"issuer\":\"<issuer>\",\"subject\":\"<subject>\",\"audiences\":[\"api://AzureADTokenExchange\"]}}'"
        )
    );
    assert!(
        found.cause.ends_with(
            "The response names the issuer \"https://evil.example/oidc\" and the subject \
             \"repo:evil/pwn:ref:refs/heads/main\": make sure that they are yours before you add them."
        ),
        "{}",
        found.cause
    );
}

#[test]
fn commands_name_the_application_and_tenant_of_the_environment_only() {
    let evil = PLANTED[0];
    let body = format!(
        "AADSTS700016: Application with identifier '{evil}' was not found in the directory 'evil.example'."
    );
    let found = with_body(&body, &[]);
    assert_eq!(
        commands(&found),
        [
            "az ad sp show --id <client-id>",
            "az ad sp create --id <client-id>"
        ]
    );
    assert!(found.cause.contains(evil) && found.cause.contains("tenant evil.example"));
    let found = with_body(&body, &[("AZURE_CLIENT_ID", OWN_APP)]);
    assert_eq!(commands(&found)[1], format!("az ad sp create --id {OWN_APP}"));
    assert!(
        found
            .cause
            .starts_with(&format!("Application {evil} (AZURE_CLIENT_ID names another one)")),
        "{}",
        found.cause
    );

    let body = "AADSTS50076: use multi-factor authentication; tenant 'evil.example'";
    for (env, tenant) in [
        (&[("AZURE_TENANT_ID", OWN_TENANT)][..], OWN_TENANT),
        (&[], "<tenant-id>"),
        // An option, not a domain.
        (&[("AZURE_TENANT_ID", "--evil.example")], "<tenant-id>"),
        (&[("AZURE_TENANT_ID", "-x.evil.example")], "<tenant-id>"),
    ] {
        assert_eq!(
            commands(&with_body(body, env)),
            [format!(
                "az login --tenant {tenant} --scope https://ai.azure.com/.default"
            )]
        );
    }
}

#[test]
fn a_host_is_shown_without_its_long_path() {
    let path = "aaaaaaaa/bbbbbbbb/cccccccc/dddddddd/eeeeeeee/ffffffff";
    for (shown, uri) in [
        ("https://x.example", format!("https://x.example/{path}")),
        (
            "https://x.example",
            format!("https://x.example/{}", "k".repeat(300)),
        ),
        ("api://own", format!("api://own/{path}")),
        // Tokens of GitHub have such an audience.
        (
            "https://github.com/some-org",
            "https://github.com/some-org".to_owned(),
        ),
        (
            "https://ai.azure.com/.default",
            "https://ai.azure.com/.default".to_owned(),
        ),
    ] {
        for text in [
            format!("AADSTS500011: The resource principal named {uri} was not found"),
            format!(
                "AADSTS700212: No matching federated identity record found for presented assertion audience '{uri}'."
            ),
        ] {
            let cause = with_body(&text, &[]).cause;
            assert!(cause.contains(&format!("\"{shown}\"")), "{cause}");
        }
    }
}

#[test]
fn long_errors_of_a_chain_take_no_long_time() {
    let started = crate::processor::Processor::start();
    for piece in [
        "EnvironmentCredential: ",
        "AzureCliCredential: status ",
        "\n- Azure CLI ",
    ] {
        let long = piece.repeat(200_000 / piece.len());
        let found = diagnose_credential(&FailedCredential {
            errors: (0..120).map(|_| long.as_str().into()).collect(),
            ..FailedCredential::default()
        });
        assert!(!found.links.is_empty());
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
