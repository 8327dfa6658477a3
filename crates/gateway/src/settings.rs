//! The checked settings of a gateway, with defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::failure::Failure;

/// What a file and the command line may set. The names are those of `createGateway`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Given {
    pub(crate) port: Option<u16>,
    pub(crate) host: Option<String>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) allow_hosts: Vec<String>,
    pub(crate) allow_origins: Vec<String>,
    pub(crate) log: Option<Log>,
    pub(crate) backends: Option<Vec<GivenBackend>>,
    pub(crate) limits: Limits,
    #[serde(flatten)]
    pub(crate) shared: GivenBackend,
}

/// What may be set for one backend, or for all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GivenBackend {
    pub(crate) name: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) deployment: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) models: Vec<String>,
    pub(crate) priority: u32,
    pub(crate) weight: Option<u32>,
    pub(crate) first_byte_ms: Option<u64>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) env: BTreeMap<String, String>,
}

/// The form of the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Log {
    Text,
    Json,
    None,
}

/// Limits of a gateway. Times are in milliseconds, sizes in bytes.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Limits {
    /// Requests at the same time.
    pub(crate) max_requests: usize,
    /// Size of a request's body.
    pub(crate) max_body_bytes: u64,
    /// Memory for bodies that are kept for a repetition.
    pub(crate) buffer_bytes: u64,
    /// Until the headers of a request are there.
    pub(crate) headers_ms: u64,
    /// Until a whole request is there.
    pub(crate) request_ms: u64,
    /// Until the resource is connected.
    pub(crate) connect_ms: u64,
    /// Until the resource answers.
    pub(crate) first_byte_ms: u64,
    /// The longest pause within an answer.
    pub(crate) idle_ms: u64,
    /// How long the end waits for requests in progress.
    pub(crate) close_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_requests: 256,
            max_body_bytes: 256 * 1024 * 1024,
            buffer_bytes: 64 * 1024 * 1024,
            headers_ms: 10_000,
            request_ms: 300_000,
            connect_ms: 10_000,
            first_byte_ms: 600_000,
            idle_ms: 300_000,
            close_ms: 5_000,
        }
    }
}

impl Limits {
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}

impl Given {
    pub(crate) fn host(&self) -> &str {
        self.host.as_deref().unwrap_or("127.0.0.1")
    }

    /// The backends: those that are given, or the one that the other settings describe.
    pub(crate) fn backends(&self) -> Vec<GivenBackend> {
        match &self.backends {
            None => vec![self.shared.clone()],
            Some(backends) => backends.iter().map(|one| one.over(&self.shared)).collect(),
        }
    }

    /// Checks what a schema cannot.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !is_loopback(self.host()) && self.allow_hosts.is_empty() {
            return Err(Failure::option("host is not an address of this machine alone, and allowHosts is empty.")
                .hint(
                    "Name the hosts that clients may use in allowHosts (--allow-host). Put TLS in front: keys and \
                     prompts travel in plain text.",
                ));
        }
        let Some(backends) = &self.backends else {
            return Ok(());
        };
        if self.shared.endpoint.is_some() {
            return Err(Failure::option("endpoint and backends exclude each other."));
        }
        let mut names: Vec<&str> = backends.iter().filter_map(|one| one.name.as_deref()).collect();
        names.sort_unstable();
        if let Some([twice, _]) = names.array_windows().find(|[one, other]| one == other) {
            return Err(Failure::option(format!(
                "The name {twice} occurs twice in backends."
            )));
        }
        Ok(())
    }
}

impl GivenBackend {
    /// Takes what is unset from the settings for all.
    fn over(&self, shared: &Self) -> Self {
        let or = |own: &Option<String>, all: &Option<String>| own.clone().or_else(|| all.clone());
        let map = |own: &BTreeMap<String, String>, all: &BTreeMap<String, String>| {
            if own.is_empty() { all.clone() } else { own.clone() }
        };
        Self {
            model: or(&self.model, &shared.model),
            deployment: or(&self.deployment, &shared.deployment),
            scope: or(&self.scope, &shared.scope),
            headers: map(&self.headers, &shared.headers),
            env: map(&self.env, &shared.env),
            ..self.clone()
        }
    }
}

/// Whether only this machine reaches an address.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "::1"
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}
