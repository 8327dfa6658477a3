//! Describes the requests for the OIDC token of a job, and reads their answers.

use super::settings::{Settings, check_address, configuration, encoded, no_address, query_separator};
use super::{Call, SecretPlace, Source};
use crate::endpoint::Cloud;
use crate::environment::{CredentialKind, Variable, cloud_of_authority};
use crate::error::error_text;
use crate::text::json::Members;
use crate::{Code, Error, Headers, Result, Secret};

/// The audience of assertions for the authority of a cloud.
fn audience(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Usgov => "api://AzureADTokenExchangeUSGov",
        Cloud::China => "api://AzureADTokenExchangeChina",
        Cloud::Public | Cloud::Unknown => "api://AzureADTokenExchange",
    }
}

impl Settings<'_> {
    /// GitHub Actions, for jobs with the permission `id-token: write`.
    pub(super) fn github_actions(&self) -> Result<Call> {
        let hint = hint(Source::GithubActions);
        let url = self.require(Variable::ActionsIdTokenRequestUrl, hint)?;
        self.require(Variable::ActionsIdTokenRequestToken, hint)?;
        check_job_address(Variable::ActionsIdTokenRequestUrl, url)?;
        let separator = query_separator(url);
        let audience = audience(cloud_of_authority(self.authority()));
        let call = self.exchange(
            Source::GithubActions,
            CredentialKind::GithubActions,
            SecretPlace::new("client_assertion", None),
        )?;
        Ok(Call {
            assertion_call: Some(Box::new(Call {
                headers: Headers::from([("accept", "application/json")]),
                secret: Some(bearer(Variable::ActionsIdTokenRequestToken)),
                ..Call::get(
                    Source::GithubActions,
                    format!("{url}{separator}audience={}", encoded(audience)),
                )
            })),
            ..call
        })
    }

    /// Azure Pipelines, for jobs with a service connection of workload identity federation.
    pub(super) fn azure_pipelines(&self) -> Result<Call> {
        let url = self.require(
            Variable::SystemOidcrequesturi,
            "Azure Pipelines sets it in every job; elsewhere use another source.",
        )?;
        self.require(Variable::SystemAccesstoken, hint(Source::AzurePipelines))?;
        let connection = match self.request.service_connection_id.as_deref().map(str::trim) {
            Some("") => {
                return Err(configuration(
                    "The id of the service connection is blank",
                    "Take it from the address of the service connection, after resourceId=.",
                ));
            }
            Some(id) => id,
            None => self.need(
                Variable::AzuresubscriptionServiceConnectionId,
                "the serviceConnectionId option",
            )?,
        };
        check_job_address(Variable::SystemOidcrequesturi, url)?;
        if url.as_bytes().contains(&b'?') {
            let name = Variable::SystemOidcrequesturi.as_str();
            return Err(no_address(name, "an https URL without a query"));
        }
        let call = self.exchange(
            Source::AzurePipelines,
            CredentialKind::AzurePipelines,
            SecretPlace::new("client_assertion", None),
        )?;
        Ok(Call {
            assertion_call: Some(Box::new(Call {
                // Without the last one the answer to a wrong token is a redirect to a sign-in page.
                headers: Headers::from([
                    ("content-type", "application/json"),
                    ("x-tfs-fedauthredirect", "Suppress"),
                ]),
                form: Some(String::new()),
                secret: Some(bearer(Variable::SystemAccesstoken)),
                ..Call::get(
                    Source::AzurePipelines,
                    format!(
                        "{url}?api-version=7.1&serviceConnectionId={}",
                        encoded(connection)
                    ),
                )
            })),
            ..call
        })
    }
}

fn bearer(variable: Variable) -> SecretPlace {
    SecretPlace {
        name: "authorization",
        prefix: "Bearer ",
        variable: Some(variable),
    }
}

/// Checks the address that the secret of a job goes to: `https`, unless it is this machine.
fn check_job_address(variable: Variable, url: &str) -> Result<()> {
    let address = check_address(variable.as_str(), url)?;
    if address.secure || address.is_loopback() {
        return Ok(());
    }
    Err(no_address(variable.as_str(), "an https URL"))
}

/// Reads the answer to the `assertion_call` of a [`Call`].
pub(super) fn read(body: &str, source: Source) -> Result<Secret> {
    let field = match source {
        Source::AzurePipelines => "oidcToken",
        _ => "value",
    };
    let members = Members::from_slice(body.as_bytes(), |name| matches!(name, "value" | "oidcToken"))
        .map_err(|_| Error::new(Code::ExpiryNotJson, "the answer is no JSON object"))?;
    let token = members
        .get(field)
        .and_then(|value| value.as_text())
        .map(str::trim);
    match token {
        // It becomes a part of a form; a token of this kind has no other characters.
        Some(token) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Secret::from(token))
        }
        _ => Err(Error::new(
            Code::ExpiryNoToken,
            error_text!("the answer carries no token in {field}"),
        )),
    }
}

/// Returns the next step after its refusal.
pub(super) fn hint(source: Source) -> &'static str {
    match source {
        Source::AzurePipelines => {
            "Set SYSTEM_ACCESSTOKEN to $(System.AccessToken) in the env of the step, and authorize the pipeline to use the \
             service connection."
        }
        _ => {
            "Set id-token to write in the permissions of the job. Jobs of forked repositories cannot have it."
        }
    }
}
