//! Reads what the platform tells the container of a Foundry hosted agent.

use serde::Serialize;

use super::Variable;
use crate::Variables;

/// The longest session id that the platform's own server takes.
const MAX_SESSION_ID: usize = 256;

/// What the environment says about a hosted agent. Serialized in camel case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Hosting {
    /// Whether Foundry hosts this process. Only then does it set the headers with the user and the
    /// call; elsewhere anybody can send them.
    pub hosted: bool,
    /// The session that this container serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The agent's name, and its version after a colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// Reads the variables of a hosted agent. A blank one counts as unset, and so does a session id that
/// [`is_session_id`] refuses. The session and the name also count outside the platform.
///
/// ```
/// use copilot_keyless::Variables;
/// use copilot_keyless::environment::hosting;
///
/// let env = Variables::from([("FOUNDRY_HOSTING_ENVIRONMENT", ""), ("FOUNDRY_AGENT_SESSION_ID", "s1")]);
/// let found = hosting(&env);
/// assert!(!found.hosted);
/// assert_eq!(found.session_id.as_deref(), Some("s1"));
/// ```
pub fn hosting(env: &Variables) -> Hosting {
    let text = |variable: Variable| env.text(variable.as_str()).map(str::trim);
    let version = text(Variable::FoundryAgentVersion);
    Hosting {
        hosted: text(Variable::FoundryHostingEnvironment).is_some(),
        session_id: text(Variable::FoundryAgentSessionId)
            .filter(|id| is_session_id(id))
            .map(str::to_owned),
        agent: text(Variable::FoundryAgentName).map(|name| match version {
            Some(version) => format!("{name}:{version}"),
            None => name.to_owned(),
        }),
    }
}

/// Whether a text may be the id of a session or an invocation: 1 to 256 letters, digits, `-`, `_`,
/// `.` and `:`, as the platform's own server checks.
///
/// ```
/// use copilot_keyless::environment::is_session_id;
///
/// assert!(is_session_id("session-abc"));
/// assert!(!is_session_id("a b"));
/// ```
pub fn is_session_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    !text.is_empty() && text.len() <= MAX_SESSION_ID && text.bytes().all(allowed)
}
