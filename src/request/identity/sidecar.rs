//! Describes the request to the Microsoft Entra ID auth sidecar, and reads its answers.

use serde::Deserialize;

use super::settings::{Settings, check_address, configuration, encoded, no_address, no_scope};
use super::{Call, Source};
use crate::environment::Variable;
use crate::error::error_text;
use crate::text::address::Address;
use crate::text::json::Members;
use crate::{Code, Error, Result};

/// The settings of a request to an auth sidecar. As JSON in camel case; every field except
/// `service` is optional and may be null. Others are refused: a misspelt agent identity would give a
/// token of the blueprint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Sidecar {
    /// The base URL. Default: `SIDECAR_URL`.
    pub url: Option<String>,
    /// The name of the downstream API in the sidecar's configuration.
    pub service: String,
    /// The client id of the agent identity. Default: the identity of the blueprint.
    pub agent_identity: Option<String>,
    /// The name of the agent's user. Needs `agent_identity`.
    pub agent_username: Option<String>,
    /// The object id of the agent's user. Needs `agent_identity`, excludes `agent_username`.
    pub agent_user_id: Option<String>,
    /// Whether to send the scope, the tenant, and the request for an app-only token unless there is
    /// a user. Sidecars refuse these overrides unless they are configured to permit them.
    pub overrides: bool,
}

impl Settings<'_> {
    pub(super) fn sidecar(&self) -> Result<Call> {
        let none = Sidecar::default();
        let sidecar = self.request.sidecar.as_ref().unwrap_or(&none);
        let url = match sidecar.url.as_deref().map(str::trim) {
            Some(url) => url,
            None => self.need(Variable::SidecarUrl, "sidecar.url")?,
        };
        let address = check_address("The address of the sidecar", url)?;
        if address.path.as_bytes().contains(&b'?') || !(address.secure || is_nearby(&address)) {
            return Err(no_address(
                "The address of the sidecar",
                "a URL without a query, https or in the local network",
            ));
        }
        let service = sidecar.service.trim();
        if service.is_empty() {
            return Err(configuration(
                "The service of the sidecar is missing",
                "Give sidecar.service, the name of a downstream API in the sidecar's configuration (DownstreamApis__<name>).",
            ));
        }
        let user = match (&sidecar.agent_username, &sidecar.agent_user_id) {
            (Some(_), Some(_)) => {
                return Err(configuration(
                    "sidecar.agentUsername and sidecar.agentUserId exclude each other",
                    "Give one of them.",
                ));
            }
            (Some(name), None) => Some(("AgentUsername", name)),
            (None, Some(id)) => Some(("AgentUserId", id)),
            (None, None) => None,
        };
        if user.is_some() && sidecar.agent_identity.is_none() {
            return Err(configuration(
                "A user of the sidecar needs an agent identity",
                "Give sidecar.agentIdentity, the client id of the agent identity.",
            ));
        }
        let agent = sidecar.agent_identity.iter().map(|id| ("AgentIdentity", id));
        let mut query = Vec::new();
        for (name, value) in agent.chain(user) {
            if value.trim().is_empty() {
                return Err(configuration(
                    &error_text!("{name} of the sidecar is blank"),
                    "Leave it out for the identity of the blueprint.",
                ));
            }
            query.push(format!("{name}={}", encoded(value.trim())));
        }
        if sidecar.overrides {
            query.extend(self.overrides(user.is_none())?);
        }
        let separator = if query.is_empty() { "" } else { "?" };
        Ok(Call::get(
            Source::Sidecar,
            format!(
                "{}/AuthorizationHeaderUnauthenticated/{}{separator}{}",
                url.trim_end_matches('/'),
                encoded(service),
                query.join("&")
            ),
        ))
    }

    fn overrides(&self, app_only: bool) -> Result<Vec<String>> {
        let scopes: Vec<&str> = self.request.scopes.iter().map(|scope| scope.trim()).collect();
        if scopes.is_empty() || scopes.contains(&"") {
            return Err(no_scope());
        }
        let mut query: Vec<String> = scopes
            .iter()
            .map(|scope| format!("optionsOverride.Scopes={}", encoded(scope)))
            .collect();
        if app_only {
            query.push("optionsOverride.RequestAppToken=true".to_owned());
        }
        if let Some(tenant) = &self.request.tenant_id {
            query.push(format!(
                "optionsOverride.AcquireTokenOptions.Tenant={}",
                encoded(tenant.trim())
            ));
        }
        Ok(query)
    }
}

/// Whether a host is this machine or in a private network, where a sidecar may use plain http: its
/// answer is a token. A name begins with a letter: URL parsers read other hosts without a dot, such as
/// `3627734734` and `0xd83ad68e`, as IPv4 addresses.
fn is_nearby(address: &Address<'_>) -> bool {
    let named = address.host.starts_with(|c: char| c.is_ascii_alphabetic())
        && !address.host.as_bytes().contains(&b'.');
    let cluster = address.host.ends_with(".svc.cluster.local");
    let private = address
        .host
        .parse::<std::net::Ipv4Addr>()
        .is_ok_and(|ip| ip.is_private() || ip.is_loopback() || ip.is_link_local());
    address.is_loopback() || named || cluster || private
}

/// Returns the token in the answer of a sidecar.
pub(super) fn read(body: &str) -> Result<String> {
    const FIELD: &str = "authorizationHeader";
    let members = Members::from_slice(body.as_bytes(), |name| name == FIELD)
        .map_err(|_| Error::new(Code::ExpiryNotJson, "the answer is no JSON object"))?;
    let header = members
        .get(FIELD)
        .and_then(|value| value.as_text())
        .unwrap_or_default();
    match header.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(token.trim().to_owned())
        }
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("pop") => Err(Error::new(
            Code::ExpiryNoToken,
            "the sidecar returns a PoP header, not a bearer token",
        )),
        _ => Err(Error::new(
            Code::ExpiryNoToken,
            "the answer carries no bearer token in authorizationHeader",
        )),
    }
}

/// Returns the next step after a status of a sidecar, if its message does not name a better one.
pub(super) fn hint(status: u16) -> Option<&'static str> {
    Some(match status {
        0 => "Check that the sidecar runs (GET /healthz) and that SIDECAR_URL or sidecar.url is its address.",
        400 | 403 => {
            "Compare the request with the sidecar's configuration: it must permit overrides if sidecar.overrides is true."
        }
        401 => "Look at what answers: /AuthorizationHeaderUnauthenticated asks for no token.",
        404 => {
            "Add the service to the sidecar's configuration (DownstreamApis__<name>__Scopes__0), or correct sidecar.service."
        }
        _ => return None,
    })
}

/// Whether Entra refused the request behind a sidecar, which reports that as its own failure.
pub(super) fn is_refusal(message: &str) -> bool {
    ["AADSTS", "invalid_client", "invalid_grant", "unauthorized_client"]
        .iter()
        .any(|sign| message.contains(sign))
}
