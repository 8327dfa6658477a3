//! How the known clients are pointed at the gateway: those of `js/cli/clients.ts`.

use serde_json::{Map, Value, json};

use crate::key::quote;

/// The known clients, by the name for `--for`.
pub(crate) const NAMES: [&str; 7] = [
    "copilot",
    "openai",
    "aider",
    "codex",
    "opencode",
    "anthropic",
    "claude-code",
];

/// What a client needs to know of a gateway.
pub(crate) struct Address<'a> {
    /// Without a slash at the end.
    pub(crate) url: &'a str,
    pub(crate) key: &'a str,
    /// The name of the deployment.
    pub(crate) model: &'a str,
}

/// The environment and the command line of a client.
pub(crate) struct Recipe {
    env: Vec<(&'static str, String)>,
    command: String,
}

/// The recipe of a client.
pub(crate) fn recipe(name: &str, gateway: &Address<'_>) -> Recipe {
    let Address { url, key, model } = gateway;
    let (key, openai) = (String::from(*key), format!("{url}/openai/v1"));
    let quoted = || quote(&format!("openai/{model}"));
    let (env, command) = match name {
        "copilot" => (
            vec![
                ("COPILOT_PROVIDER_TYPE", "openai".to_owned()),
                ("COPILOT_PROVIDER_BASE_URL", openai),
                ("COPILOT_PROVIDER_API_KEY", key),
                ("COPILOT_PROVIDER_WIRE_API", "responses".to_owned()),
                ("COPILOT_MODEL", (*model).to_owned()),
            ],
            "copilot".to_owned(),
        ),
        "aider" => (
            vec![("OPENAI_API_BASE", openai), ("OPENAI_API_KEY", key)],
            format!("aider --model {}", quoted()),
        ),
        "codex" => {
            let provider = format!(
                r#"{{ name = "Foundry", base_url = "{openai}", env_key = "OPENAI_API_KEY", wire_api = "responses" }}"#
            );
            let provider = quote(&format!("model_providers.gw={provider}"));
            (
                vec![("OPENAI_API_KEY", key)],
                format!("codex -c model_provider=gw -c {provider} -m {}", quote(model)),
            )
        }
        "opencode" => {
            // Otherwise it asks another model for titles, which may have no deployment.
            let content = json!({
                "provider": { "openai": { "options": { "baseURL": openai } } },
                "small_model": format!("openai/{model}"),
            });
            (
                vec![
                    ("OPENAI_API_KEY", key),
                    ("OPENCODE_CONFIG_CONTENT", content.to_string()),
                ],
                format!("opencode --model {}", quoted()),
            )
        }
        "anthropic" | "claude-code" => (
            vec![
                ("ANTHROPIC_BASE_URL", format!("{url}/anthropic")),
                ("ANTHROPIC_AUTH_TOKEN", key),
            ],
            if name == "anthropic" {
                "<program>"
            } else {
                "claude"
            }
            .to_owned(),
        ),
        _ => (
            vec![("OPENAI_BASE_URL", openai), ("OPENAI_API_KEY", key)],
            "<program>".to_owned(),
        ),
    };
    Recipe { env, command }
}

impl Recipe {
    /// As one line for a POSIX shell.
    pub(crate) fn line(&self) -> String {
        let env = self
            .env
            .iter()
            .map(|(name, value)| format!("{name}={}", quote(value)));
        env.chain([self.command.clone()]).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn json(&self) -> Value {
        let env: Map<String, Value> = self
            .env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        json!({ "env": env, "command": self.command })
    }
}
