//! Reads ids and names from the text of an error. Servers and libraries are not trusted: only values
//! of a strict form are returned, so that no sentence can carry anything else. Commands contain none of
//! them.

use crate::text::{is_guid, is_made_of};

/// The values that an error names.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// The client id of the application.
    pub(super) application: Option<String>,
    /// The tenant, a GUID or a domain.
    pub(super) tenant: Option<String>,
    /// The subject of the federated token.
    pub(super) subject: Option<String>,
    /// Its issuer.
    pub(super) issuer: Option<String>,
    /// Its audience.
    pub(super) audience: Option<String>,
    /// The resource of the requested token.
    pub(super) resource: Option<String>,
}

impl Details {
    /// Reads the values of a text without escapes.
    pub(super) fn of(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let values =
            |labels: &'static [&str]| labels.iter().flat_map(|label| values_after(text, &lower, label));
        let value = |labels, is_valid: fn(&str) -> bool| {
            values(labels).find(|value| is_valid(value)).map(str::to_owned)
        };
        let audience = |labels| {
            values(labels)
                .map(without_long_path)
                .find(|value| is_audience(value))
                .map(str::to_owned)
        };
        Self {
            application: value(
                &[
                    "application with identifier",
                    "for app",
                    "to app",
                    "app id",
                    "appid",
                    "application",
                    "client application",
                    "the client",
                    "client id",
                    "client_id",
                    "clientid",
                    "app",
                ],
                is_guid,
            ),
            tenant: value(
                &[
                    "directory",
                    "tenant",
                    "tenant id",
                    "tenantid",
                    "in tenant",
                    "login.microsoftonline.com/",
                    "tenant named",
                ],
                is_tenant,
            ),
            subject: value(&["assertion subject", "subject"], is_subject),
            issuer: value(&["assertion issuer", "issuer"], is_address),
            audience: audience(&["assertion audience", "audience"]),
            resource: audience(&[
                "resource principal named",
                "resource value from request",
                "msi token audience",
                "audience",
                "resource",
                "scope",
            ]),
        }
    }
}

/// Returns the values after a label: past spaces, colons and quotes, up to the next of them.
fn values_after<'t>(text: &'t str, lower: &str, label: &str) -> Vec<&'t str> {
    lower
        .match_indices(label)
        .take(8)
        .filter_map(|(at, _)| text.get(at + label.len()..))
        .map(|rest| {
            let rest = rest.trim_start_matches([' ', ':', '=', '\'', '"', '`', '(', '\n']);
            let end = rest
                .find(|c: char| c.is_whitespace() || "'\"`),;".contains(c))
                .unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default().trim_end_matches('.')
        })
        .filter(|value| !value.is_empty())
        .collect()
}

/// Whether each run of letters and digits is too short for a token or a secret.
fn has_short_runs(text: &str, separators: &[char]) -> bool {
    text.split(separators).all(|run| run.len() <= 63) && !text.contains("eyJ")
}

/// Whether a text is a GUID, or a domain of the usual form.
pub(super) fn is_tenant(text: &str) -> bool {
    is_guid(text)
        || (text.len() <= 100
            && text.contains('.')
            && text.split('.').all(|label| {
                !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && is_made_of(label, b"-")
            })
            && text
                .rsplit('.')
                .next()
                .is_some_and(|last| last.len() >= 2 && last.bytes().all(|b| b.is_ascii_lowercase()))
            && !text.starts_with("ey"))
}

/// Whether a text is a subject as GitHub, GitLab, Kubernetes, Azure Pipelines and Entra write it.
fn is_subject(text: &str) -> bool {
    let known = [
        "repo:",
        "system:serviceaccount:",
        "sc://",
        "/eid1/",
        "project_path:",
        "p://",
        "organization:",
    ];
    is_guid(text)
        || (text.len() <= 255
            && known.iter().any(|start| text.starts_with(start))
            && is_made_of(text, b":/._-@*{}")
            && has_short_runs(text, &[':', '/', '.', '@']))
}

/// Whether a text is an https URL of a host with an optional path.
fn is_address(text: &str) -> bool {
    text.len() <= 200
        && text.strip_prefix("https://").is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && is_made_of(rest, b"-._~:/")
        })
        && has_short_runs(text, &['/', '.', ':'])
}

/// The longest path of an audience to show, in bytes: that of a GitHub organization.
const MAX_PATH: usize = 40;

/// Returns a URI without its path if that is long: any text may stand there.
fn without_long_path(uri: &str) -> &str {
    uri.split_once("://")
        .and_then(|(scheme, rest)| {
            let host = rest.find('/')?;
            (rest.len() - host > MAX_PATH).then_some(scheme.len() + 3 + host)
        })
        .and_then(|end| uri.get(..end))
        .unwrap_or(uri)
}

/// Whether a text is an audience: a GUID, or a URI without a query.
fn is_audience(text: &str) -> bool {
    let uri = text.strip_prefix("api://").is_some_and(|rest| {
        rest.len() <= 100
            && !rest.is_empty()
            && is_made_of(rest, b"-._/")
            && has_short_runs(rest, &['/', '.'])
    });
    is_guid(text) || uri || is_address(text)
}
