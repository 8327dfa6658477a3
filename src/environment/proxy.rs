//! Finds the proxy variable that applies to a host.

use super::Variable;
use crate::Variables;
use crate::text::{is_made_of, split_once};

/// The variables in the order of the Copilot runtime, for `https` and `http` alike.
const RUNTIME: [Variable; 4] = [
    Variable::HttpsProxy,
    Variable::HttpsProxyLower,
    Variable::HttpProxy,
    Variable::HttpProxyLower,
];

/// Those that only `@azure/identity` reads.
const IDENTITY: [Variable; 2] = [Variable::AllProxy, Variable::AllProxyLower];

/// Returns the hosts that bypass the proxies, as the variable lists them.
fn no_proxy(env: &Variables) -> &str {
    [Variable::NoProxy, Variable::NoProxyLower]
        .into_iter()
        .find_map(|variable| env.text(variable.as_str()).filter(|list| !list.trim().is_empty()))
        .unwrap_or_default()
}

/// Returns the setting that lets these hosts bypass the proxies, besides those that do already.
pub(crate) fn bypass<'a>(hosts: impl IntoIterator<Item = &'a str>, env: &'a Variables) -> String {
    let listed = no_proxy(env).split(',').map(str::trim);
    let mut list: Vec<&str> = listed
        .filter(|entry| !entry.is_empty() && is_made_of(entry, b"-.:*/"))
        .collect();
    for host in hosts {
        if !list.contains(&host) {
            list.push(host);
        }
    }
    format!("NO_PROXY={}", list.join(","))
}

/// Returns the variable with the proxy for a host (`name` or `name:port`), unless `NO_PROXY` lists
/// the host, with or without its port, or one of its parent domains. The rules are those measured
/// with the Copilot runtime of SDK 1.0.14.
///
/// ```
/// use copilot_keyless::Variables;
/// use copilot_keyless::environment::proxy_variable;
///
/// let env = Variables::from([("HTTPS_PROXY", "set"), ("NO_PROXY", ".internal")]);
/// assert_eq!(proxy_variable("myres.openai.azure.com", &env).unwrap().as_str(), "HTTPS_PROXY");
/// assert_eq!(proxy_variable("models.internal:443", &env), None);
/// ```
pub fn proxy_variable(host: &str, env: &Variables) -> Option<Variable> {
    first_of(RUNTIME.into_iter().chain(IDENTITY), host, env)
}

/// Returns the variable with the proxy that the Copilot runtime uses for an address. Without a
/// port, the scheme's counts.
///
/// ```
/// use copilot_keyless::Variables;
/// use copilot_keyless::environment::runtime_proxy_variable;
///
/// let env = Variables::from([("ALL_PROXY", "set")]);
/// assert_eq!(runtime_proxy_variable("https://myres.openai.azure.com/openai/v1/", &env), None);
/// ```
pub fn runtime_proxy_variable(url: &str, env: &Variables) -> Option<Variable> {
    let (scheme, rest) = split_once(url, "://")?;
    let host = rest.split('/').next()?;
    let port = if scheme == "http" { 80 } else { 443 };
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let host = if has_port {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    };
    first_of(RUNTIME, &host, env)
}

fn first_of(variables: impl IntoIterator<Item = Variable>, host: &str, env: &Variables) -> Option<Variable> {
    let found = variables.into_iter().find(|variable| {
        env.text(variable.as_str())
            .is_some_and(|value| !value.trim().is_empty())
    })?;
    let with_port = format!(".{}", host.to_ascii_lowercase());
    let name = with_port
        .rsplit_once(':')
        .map_or(with_port.as_str(), |(name, _)| name);
    let excluded = no_proxy(env).split(',').any(|entry| {
        let entry = entry.trim().to_ascii_lowercase();
        let domain = format!(".{}", entry.trim_start_matches('*').trim_start_matches('.'));
        entry == "*" || (!entry.is_empty() && (name.ends_with(&domain) || with_port.ends_with(&domain)))
    });
    (!excluded).then_some(found)
}
