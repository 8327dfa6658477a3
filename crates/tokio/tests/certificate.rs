//! A service principal with a certificate: its assertion is verified by Node.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

use std::collections::HashMap;
use std::fs;
use std::process::Stdio;

use copilot_keyless_tokio::TokenProvider;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

fn provider(about: &Value, path: &str) -> TokenProvider {
    let vars = HashMap::from([
        ("AZURE_TENANT_ID", "contoso.com".to_owned()),
        (
            "AZURE_CLIENT_ID",
            "1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55".to_owned(),
        ),
        ("AZURE_CLIENT_CERTIFICATE_PATH", path.to_owned()),
        (
            "AZURE_AUTHORITY_HOST",
            about["authority"].as_str().unwrap().to_owned(),
        ),
    ]);
    let builder = TokenProvider::builder().scope("https://ai.azure.com/.default");
    builder.vars(move |name| vars.get(name).cloned()).build().unwrap()
}

#[tokio::test]
async fn the_assertion_is_signed_with_the_certificate() {
    let mut entra = Command::new("node")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificate.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(entra.stdout.take().unwrap()).lines();
    let about: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), about["pem"].as_str().unwrap()).unwrap();
    let path = file.path().display().to_string();
    let token = provider(&about, &path).token().await.unwrap();
    assert_eq!(token.secret(), "verified");

    let error = provider(&about, "/nowhere/cert.pem").token().await.unwrap_err();
    assert_eq!(error.code(), "credential/configuration");
    fs::write(file.path(), "no PEM").unwrap();
    let error = provider(&about, &path).token().await.unwrap_err();
    assert!(error.hint().contains("openssl pkcs12"), "{error:?}");
}
