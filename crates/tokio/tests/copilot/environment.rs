//! What the Copilot runtime receives of the environment.

use std::process::Stdio;

use github_copilot_sdk::ClientOptions;
use tokio::process::Command;

use crate::resource::{Runtime, within};

/// Secrets, and a setting that is none.
const SECRETS: [(&str, &str); 6] = [
    ("IDENTITY_HEADER", "withheld-1"),
    ("IDENTITY_ENDPOINT", "withheld-2"),
    ("AZURE_CLIENT_SECRET", "withheld-3"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "withheld-4"),
    ("MSI_SECRET", "withheld-5"),
    ("MSI_NEW", "withheld-6"),
];

/// An inner test, which the next one runs in a process with secrets.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "the next one runs it"]
async fn inside_of_a_process_with_secrets() {
    within(async {
        assert!(std::env::var("IDENTITY_HEADER").is_ok(), "run by the next test");
        let options =
            ClientOptions::default().with_env([("SYSTEM_ACCESSTOKEN", "withheld-7"), ("MINE", "kept")]);
        let runtime = Runtime::with(options).await;
        let pid = runtime.client.pid().unwrap();
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        let environment = String::from_utf8_lossy(&environment);
        assert!(environment.contains("MINE=kept") && environment.contains("AZURE_CLIENT_ID=kept"));
        assert!(!environment.contains("withheld"), "{environment}");
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_runtime_gets_no_secret_of_the_identity() {
    within(async {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "environment::inside_of_a_process_with_secrets",
                "--ignored",
            ])
            .envs(SECRETS)
            .env("AZURE_CLIENT_ID", "kept")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    })
    .await;
}
