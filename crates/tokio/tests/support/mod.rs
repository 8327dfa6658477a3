//! The npm package's emulator as a child process.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    dead_code,
    reason = "a test"
)]

use std::collections::HashMap;
use std::process::Stdio;

use copilot_keyless_tokio::Token;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A request to the model.
pub(crate) const QUESTION: &str = r#"{ "model": "gpt-5.5", "input": "Hello" }"#;

pub(crate) struct Emulator {
    about: Value,
    client: reqwest::Client,
    _child: Child,
}

impl Emulator {
    /// Starts it with tokens of so many seconds. `cache`: whether the platform keeps its tokens.
    pub(crate) async fn start(lifetime: u32, cache: bool) -> Self {
        let mut child = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator.mjs"))
            .args([lifetime.to_string(), cache.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is installed");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap();
        let about = serde_json::from_str(&line.expect("npm run build was run")).unwrap();
        // Plain http only, so without a provider of cryptography for the process.
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(tls);
        Self {
            about,
            client: client.build().unwrap(),
            _child: child,
        }
    }

    /// The environment of a host.
    pub(crate) fn host(&self, name: &str) -> HashMap<String, String> {
        serde_json::from_value(self.about["hosts"][name].clone()).unwrap()
    }

    pub(crate) fn principal(&self) -> HashMap<String, String> {
        serde_json::from_value(self.about["principal"].clone()).unwrap()
    }

    pub(crate) fn secret(&self, name: &str) -> String {
        self.about["secrets"][name].as_str().unwrap().to_owned()
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let url = format!("{}{path}", self.about["controlUrl"].as_str().unwrap());
        let mut request = self.client.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let answer = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// The number of requests to the identity endpoint.
    pub(crate) async fn identity_requests(&self) -> usize {
        let found = self.control("GET", "/requests", None).await;
        let requests = found["requests"].as_array().unwrap();
        requests
            .iter()
            .filter(|request| request["server"] == "identity")
            .count()
    }

    /// Asks the model with a token, and returns the status.
    pub(crate) async fn ask_model(&self, token: &Token) -> u16 {
        self.ask_model_with(&format!("Bearer {}", token.secret())).await
    }

    /// The same with an `Authorization` header.
    pub(crate) async fn ask_model_with(&self, authorization: &str) -> u16 {
        let request = self
            .client
            .post(self.model_url())
            .header("authorization", authorization)
            .header("content-type", "application/json")
            .body(QUESTION);
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) fn model_url(&self) -> String {
        let url = &self.host("appService")["FOUNDRY_RESOURCE_URL"];
        format!("{url}/openai/v1/responses")
    }

    /// A client without TLS.
    pub(crate) fn client(&self) -> reqwest::Client {
        self.client.clone()
    }
}
