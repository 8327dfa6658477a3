//! Describes the requests to the identity endpoint of Azure Arc's agent, whose first answer is a
//! challenge: it names a file with a secret that only the users of the agent can read.

use super::settings::{Settings, check_address, configuration, query_separator};
use super::{Call, SecretPlace, Source};
use crate::environment::Variable;
use crate::{Error, Headers, Result};

/// The folder of the agent's keys on Linux.
const KEYS: &str = "/var/opt/azcmagent/tokens/";

/// The same on Windows, below the folder `%ProgramData%`.
const KEYS_ON_WINDOWS: &str = "\\AzureConnectedMachineAgent\\Tokens\\";

impl Settings<'_> {
    /// Describes the request with the secret of the challenge. The same request without its secret
    /// makes the agent write the secret.
    pub(super) fn azure_arc(&self) -> Result<Call> {
        if !self.request.azure_arc {
            return Err(configuration(
                "The managed identity of Azure Arc needs the files of the host",
                "Use a credential of @azure/identity.",
            ));
        }
        let endpoint = self.need(Variable::IdentityEndpoint, "source: \"imds\"")?;
        check_address(Variable::IdentityEndpoint.as_str(), endpoint)?;
        if !self
            .identity(["client_id", "object_id", "msi_res_id"])?
            .is_empty()
        {
            return Err(configuration(
                "Azure Arc has no user-assigned identities",
                "Unset AZURE_CLIENT_ID, and give no id of an identity: the server has one of its own.",
            ));
        }
        let separator = query_separator(endpoint);
        Ok(Call {
            headers: Headers::from([("metadata", "true")]),
            secret: Some(SecretPlace {
                name: "authorization",
                prefix: "Basic ",
                variable: None,
            }),
            ..Call::get(
                Source::AzureArc,
                format!(
                    "{endpoint}{separator}api-version=2020-06-01&resource={}",
                    super::settings::encoded(self.resource()?)
                ),
            )
        })
    }
}

/// Returns the file that a challenge of Azure Arc's agent names, whose content is the secret of the
/// request. `program_data` is the variable `ProgramData` of Windows, `None` on Linux.
///
/// Errors: `credential/configuration` for a file outside of the agent's folder, or of another kind:
/// whatever answered would read any file of this machine.
///
/// ```
/// use copilot_keyless::request::identity::arc_key_file;
///
/// let challenge = "Basic realm=/var/opt/azcmagent/tokens/1.key";
/// assert_eq!(arc_key_file(challenge, None)?, "/var/opt/azcmagent/tokens/1.key");
/// assert!(arc_key_file("Basic realm=/etc/shadow", None).is_err());
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn arc_key_file<'a>(www_authenticate: &'a str, program_data: Option<&str>) -> Result<&'a str> {
    let refuse = |message: &str| -> Error {
        configuration(
            message,
            "Look at what answers in the place of Azure Arc's agent (IDENTITY_ENDPOINT).",
        )
    };
    let (scheme, realm) = www_authenticate
        .trim()
        .split_once(" realm=")
        .ok_or_else(|| refuse("The answer of Azure Arc's agent names no file"))?;
    let path = realm.trim().trim_matches('"');
    let folder = program_data.map_or_else(|| KEYS.to_owned(), |folder| format!("{folder}{KEYS_ON_WINDOWS}"));
    let name = path
        .get(..folder.len())
        .filter(|start| start.eq_ignore_ascii_case(&folder) && (program_data.is_some() || **start == folder))
        .and_then(|_| path.get(folder.len()..))
        .and_then(|name| name.strip_suffix(".key"));
    let plain = name.is_some_and(|name| !name.is_empty() && crate::text::is_made_of(name, b"-_"));
    if scheme.eq_ignore_ascii_case("basic") && plain {
        Ok(path)
    } else {
        Err(refuse(
            "The answer of Azure Arc's agent names a file outside of its folder",
        ))
    }
}
