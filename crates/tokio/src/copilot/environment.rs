//! Keeps the secrets of the identity from the Copilot runtime.

use std::ffi::{OsStr, OsString};

use copilot_keyless::environment::{Variable, Visibility};
use github_copilot_sdk::{ClientOptions, Transport};

/// Withholds the secrets of the identity from the Copilot runtime, such as `IDENTITY_HEADER` and
/// `AZURE_CLIENT_SECRET`: it runs tools that a model asks for, and gets tokens from this process. Call it
/// last: it removes them from `env`, and adds them to `env_remove`.
///
/// A runtime in this process (`Transport::InProcess`) has this process's environment; its options stay
/// as they are.
///
/// ```
/// use copilot_keyless_tokio::without_secrets;
/// use github_copilot_sdk::ClientOptions;
///
/// let options = without_secrets(ClientOptions::default());
/// assert!(options.env_remove.iter().any(|name| name == "IDENTITY_HEADER"));
/// ```
pub fn without_secrets(mut options: ClientOptions) -> ClientOptions {
    if matches!(options.transport, Transport::InProcess) {
        return options;
    }
    options.env.retain(|(name, _)| !is_secret(name));
    let listed = secrets().map(OsString::from);
    // As it is written there: names have no case on Windows only. And the names of no list, `MSI_*`.
    let present = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| is_secret(name));
    options.env_remove.extend(listed.chain(present));
    options
}

/// The variables that hold a secret, or say where to get one.
fn secrets() -> impl Iterator<Item = &'static str> {
    let leads = |variable: &&Variable| {
        matches!(
            variable.visibility(),
            Visibility::Secret | Visibility::LeadsToSecret
        )
    };
    Variable::ALL
        .iter()
        .filter(leads)
        .map(|variable| variable.as_str())
}

fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_managed = name
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("MSI_"));
    is_managed || secrets().any(|secret| secret.eq_ignore_ascii_case(&name))
}

#[cfg(test)]
mod tests {
    use github_copilot_sdk::{ClientOptions, Transport};

    use super::without_secrets;

    #[test]
    fn what_leads_to_a_secret_is_withheld_and_the_rest_stays() {
        let given = [("Azure_Client_Secret", "1"), ("MSI_OTHER", "2"), ("PATH", "3")];
        let mut options = ClientOptions::default().with_env(given);
        options.env_remove.push("MINE".into());
        let options = without_secrets(options);
        assert_eq!(options.env, [("PATH".into(), "3".into())]);
        for name in [
            "MINE",
            "IDENTITY_ENDPOINT",
            "AZURE_FEDERATED_TOKEN_FILE",
            "SYSTEM_ACCESSTOKEN",
        ] {
            assert!(options.env_remove.iter().any(|removed| removed == name), "{name}");
        }
        assert!(
            !options
                .env_remove
                .iter()
                .any(|removed| removed == "AZURE_CLIENT_ID")
        );
    }

    #[test]
    fn a_runtime_in_this_process_takes_no_environment() {
        let mut options = ClientOptions::default();
        options.transport = Transport::InProcess;
        assert!(without_secrets(options).env_remove.is_empty());
    }
}
