//! Describes the requests to the token endpoint of Entra, and to the token proxy in front of it.

use super::settings::{Settings, check_authority, configuration, encoded, no_address, no_scope};
use super::{Call, SecretPlace, Source, Tls};
use crate::environment::{CredentialKind, Variable, check_job_authority, client_ids, tenant_ids};
use crate::error::error_text;
use crate::text::address::{self, Address};
use crate::{Code, Error, Headers, Result};

const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl<'a> Settings<'a> {
    pub(super) fn client_secret(&self) -> Result<Call> {
        let secret = Variable::AzureClientSecret;
        let own = self.request.own_secret;
        if !own {
            self.need(secret, "the clientSecret option")?;
        }
        let place = SecretPlace::new("client_secret", (!own).then_some(secret));
        self.exchange(Source::ClientSecret, CredentialKind::Environment, place)
    }

    pub(super) fn workload_identity(&self) -> Result<Call> {
        let file = Variable::AzureFederatedTokenFile;
        let own = self.request.own_assertion;
        if !own {
            self.need(file, "the assertion option")?;
        }
        let place = SecretPlace::new("client_assertion", (!own).then_some(file));
        let call = self.exchange(Source::WorkloadIdentity, CredentialKind::WorkloadIdentity, place)?;
        if self.request.identity_binding {
            self.bound(call)
        } else {
            Ok(call)
        }
    }

    /// Describes the exchange of a secret or an assertion for a token. `kind` says which variables
    /// hold the ids.
    pub(super) fn exchange(&self, source: Source, kind: CredentialKind, secret: SecretPlace) -> Result<Call> {
        let client = self.id(
            self.request.client_id.as_deref(),
            client_ids(kind),
            "the clientId option",
        )?;
        let tenant = self.id(
            self.request.tenant_id.as_deref(),
            tenant_ids(kind),
            "the tenantId option",
        )?;
        if !address::is_client_id(client) {
            return Err(configuration(
                if client.is_empty() {
                    "The client id is blank"
                } else {
                    "The client id holds white space or characters beyond ASCII"
                },
                "Give the application's client id, a GUID (AZURE_CLIENT_ID or the clientId option).",
            ));
        }
        if !address::is_tenant(tenant) {
            return Err(configuration(
                "The tenant is neither a GUID nor a domain",
                "Find it with: az account show --query tenantId --output tsv",
            ));
        }
        let authority = self.authority();
        check_authority(authority)?;
        let of_job = matches!(source, Source::GithubActions | Source::AzurePipelines);
        if of_job && self.request.authority_host.is_none() {
            check_job_authority(authority)?;
        }
        let scope = self.request.scopes.join(" ");
        if scope.trim().is_empty() {
            return Err(no_scope());
        }
        let mut form = format!(
            "grant_type=client_credentials&client_id={}&scope={}",
            encoded(client),
            encoded(scope.trim())
        );
        if secret.name == "client_assertion" {
            form.push_str("&client_assertion_type=");
            form.push_str(&encoded(JWT_BEARER));
        }
        if let Some(claims) = &self.request.claims {
            form.push_str("&claims=");
            form.push_str(&encoded(claims));
        }
        Ok(Call {
            headers: Headers::from([("content-type", "application/x-www-form-urlencoded")]),
            form: Some(form),
            secret: Some(secret),
            ..Call::get(
                source,
                format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/')),
            )
        })
    }

    /// Returns the authority to sign in at.
    pub(super) fn authority(&self) -> &'a str {
        self.request
            .authority_host
            .as_deref()
            .or_else(|| self.get(Variable::AzureAuthorityHost))
            .unwrap_or(PUBLIC_AUTHORITY)
            .trim()
    }

    fn id(&self, given: Option<&'a str>, variables: &[Variable], option: &str) -> Result<&'a str> {
        let set = || variables.iter().find_map(|variable| self.get(*variable));
        let usual = variables.last().copied().unwrap_or(Variable::AzureClientId);
        match given.map(str::trim).or_else(set) {
            Some(id) => Ok(id),
            None => self.need(usual, option),
        }
    }

    /// Sends an exchange through the token proxy of an AKS identity binding, if there is one.
    fn bound(&self, call: Call) -> Result<Call> {
        let server_name = self.get(Variable::AzureKubernetesSniName);
        let ca_file = self.get(Variable::AzureKubernetesCaFile);
        let ca = self.get(Variable::AzureKubernetesCaData);
        let name = Variable::AzureKubernetesTokenProxy.as_str();
        let Some(proxy) = self.get(Variable::AzureKubernetesTokenProxy) else {
            if [server_name, ca_file, ca].iter().all(Option::is_none) {
                return Ok(call);
            }
            return Err(Error::new(
                Code::CredentialUnavailable,
                error_text!("{name} is not set, but other variables of an identity binding are"),
            )
            .hint("The webhook of AKS sets them together; look for one that a manifest overrides."));
        };
        if ca_file.is_some() && ca.is_some() {
            return Err(configuration(
                &error_text!(
                    "{} and {} exclude each other",
                    Variable::AzureKubernetesCaFile.as_str(),
                    Variable::AzureKubernetesCaData.as_str()
                ),
                "Unset one of them.",
            ));
        }
        let plain =
            Address::read(proxy).filter(|proxy| proxy.secure && !proxy.path.as_bytes().contains(&b'?'));
        if plain.is_none() {
            return Err(no_address(name, "an https URL without a query"));
        }
        // The path at the authority begins with the tenant.
        let path = call.url.split('/').skip(3).collect::<Vec<_>>().join("/");
        Ok(Call {
            url: format!("{}/{path}", proxy.trim_end_matches('/')),
            tls: Some(Tls {
                server_name: server_name.map(str::to_owned),
                ca_file: ca_file.map(str::to_owned),
                ca: ca.map(str::to_owned),
                thumbprint: None,
            }),
            ..call
        })
    }
}
