//! An emulator and a runtime, and what every test asks of them.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use copilot_keyless_tokio::{FoundryProvider, FoundryProviderBuilder, FoundrySession, without_secrets};
use github_copilot_sdk::{Client, ClientOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::emulator::Emulator;

/// How long a test may take.
const LIMIT: Duration = Duration::from_secs(90);

pub(crate) async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, test)
        .await
        .expect("the test ends in time")
}

/// The runtime that npm installed.
pub(crate) fn runtime() -> String {
    let machine = format!(
        "{}-{}",
        if cfg!(target_os = "macos") {
            "darwin"
        } else {
            "linux"
        },
        if cfg!(target_arch = "aarch64") {
            "arm64"
        } else {
            "x64"
        },
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = format!("node_modules/@github/copilot-sdk-{machine}/prebuilds/{machine}/copilot-runtime");
    root.join(path).display().to_string()
}

/// A running runtime, with a folder of its own.
pub(crate) struct Runtime {
    pub(crate) client: Client,
    _home: TempDir,
}

impl Runtime {
    pub(crate) async fn start() -> Self {
        Self::with(ClientOptions::default()).await
    }

    pub(crate) async fn with(options: ClientOptions) -> Self {
        let home = tempfile::tempdir().unwrap();
        let options = options
            .with_program(std::path::PathBuf::from(runtime()))
            .with_base_directory(home.path())
            .with_cwd(home.path());
        let client = Client::start(without_secrets(options)).await.unwrap();
        Self { client, _home: home }
    }

    /// A new session that the provider is attached to.
    pub(crate) async fn session(&self, foundry: &FoundryProvider) -> FoundrySession {
        let session = self.client.create_session(foundry.session_config()).await;
        foundry.attach(session.unwrap())
    }
}

/// A provider's settings, from the environment of the emulator's App Service.
pub(crate) fn builder(emulator: &Emulator) -> FoundryProviderBuilder {
    let vars = emulator.host("appService");
    FoundryProvider::builder().vars(move |name| vars.get(name).cloned())
}

pub(crate) fn provider(emulator: &Emulator) -> FoundryProvider {
    builder(emulator).build().unwrap()
}

/// Revokes all tokens of an emulator.
pub(crate) async fn revoke(emulator: &Emulator) {
    emulator.control("POST", "/revoke", Some(&json!({}))).await;
}

/// The statuses of the requests to the model.
pub(crate) async fn statuses(emulator: &Emulator) -> Vec<u64> {
    let found = emulator.control("GET", "/requests", None).await;
    let requests = found["requests"].as_array().unwrap().iter();
    let asked = requests.filter(|request| request["server"] == "foundry");
    asked.filter_map(|request| request["status"].as_u64()).collect()
}

pub(crate) async fn fault(emulator: &Emulator, fault: Value) {
    emulator.control("POST", "/faults", Some(&fault)).await;
}
