//! Developer tools as child processes: scripts in their place, as `az` and `azd` print and fail.

#![cfg(unix)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use copilot_keyless_tokio::TokenProvider;
use tempfile::TempDir;

const SCOPE: &str = "https://ai.azure.com/.default";

/// A folder of tools, each a script of the shell.
fn tools(scripts: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in scripts {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn provider(folder: &Path, credentials: &str) -> TokenProvider {
    let vars = HashMap::from([
        ("PATH".to_owned(), format!("{}:/usr/bin:/bin", folder.display())),
        ("AZURE_TOKEN_CREDENTIALS".to_owned(), credentials.to_owned()),
    ]);
    let builder = TokenProvider::builder().scope(SCOPE);
    builder.vars(move |name| vars.get(name).cloned()).build().unwrap()
}

#[tokio::test]
async fn az_is_asked_for_the_resource_and_its_warnings_are_ignored() {
    let script = r#"echo "$@" > "$(dirname "$0")/args"
echo "WARNING: a newer version is there" >&2
echo '{ "accessToken": "of-az", "expiresOn": "2026-01-01 00:00:00.000000", "expires_on": '$(($(date +%s) + 3600))' }'"#;
    let folder = tools(&[("az", script)]);
    let token = provider(folder.path(), "AzureCliCredential")
        .token()
        .await
        .unwrap();
    assert_eq!(token.secret(), "of-az");
    let args = fs::read_to_string(folder.path().join("args")).unwrap();
    assert_eq!(
        args.trim(),
        "account get-access-token --output json --resource https://ai.azure.com"
    );
}

#[tokio::test]
async fn dev_tries_the_tools_one_after_another() {
    let azd = r#"echo '{ "token": "of-azd", "expiresOn": "'$(date -u -d "+1 hour" +%Y-%m-%dT%H:%M:%SZ)'" }'"#;
    let az = r#"echo "Please run 'az login' to setup account." >&2; exit 1"#;
    let folder = tools(&[("az", az), ("azd", azd)]);
    let tokens = provider(folder.path(), "dev");
    assert_eq!(tokens.token().await.unwrap().secret(), "of-azd");
}

#[tokio::test]
async fn the_failure_of_a_chain_is_told_link_by_link() {
    let az = r#"echo "ERROR: Please run 'az login' to setup account." >&2; exit 1"#;
    let folder = tools(&[("az", az)]);
    let error = provider(folder.path(), "dev").token().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("AzureCliCredential") && text.contains("AzureDeveloperCliCredential"),
        "{text}"
    );
    assert!(error.hint().contains("az login"), "{error:?}");
}

#[tokio::test]
async fn a_tool_ends_with_its_request() {
    let script = r#"echo $$ > "$(dirname "$0")/pid"; exec sleep 600"#;
    let folder = tools(&[("az", script)]);
    let tokens = provider(folder.path(), "AzureCliCredential");
    assert!(
        tokio::time::timeout(Duration::from_secs(1), tokens.token())
            .await
            .is_err()
    );
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    let process = format!("/proc/{}", pid.trim());
    assert!(!cfg!(target_os = "linux") || Path::new(&process).exists());
    tokens.close().await;
    for _ in 0..100 {
        if !Path::new(&process).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the tool still runs");
}
