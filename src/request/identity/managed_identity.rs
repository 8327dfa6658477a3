//! Describes the requests to the managed identity endpoints of the hosts.

use super::renewal::Renewal;
use super::settings::{Settings, check_address, configuration, encoded, no_address, query_separator};
use super::{Call, SecretPlace, Source, Tls};
use crate::environment::Variable;
use crate::error::error_text;
use crate::{Headers, Result};

const IMDS_HOST: &str = "http://169.254.169.254";

/// The timeout of IMDS, in milliseconds. Outside of Azure its address does not respond; in Azure it
/// responds at once.
const IMDS_TIMEOUT_MS: u32 = 3_000;

impl Settings<'_> {
    pub(super) fn app_service(&self) -> Result<Call> {
        let endpoint = self.need(Variable::IdentityEndpoint, "source: \"imds\"")?;
        self.need(Variable::IdentityHeader, "source: \"imds\"")?;
        check_address(Variable::IdentityEndpoint.as_str(), endpoint)?;
        let identity = self.identity(["client_id", "object_id", "mi_res_id"])?;
        let renewal = Renewal::of(self.request, Source::AppService);
        let separator = query_separator(endpoint);
        Ok(Call {
            renews: renewal.renews(),
            timeout_ms: renewal.timeout_ms(),
            secret: Some(SecretPlace::header("x-identity-header", Variable::IdentityHeader)),
            ..Call::get(
                Source::AppService,
                format!(
                    "{endpoint}{separator}api-version={}&resource={}{identity}{}",
                    renewal.app_service_version(),
                    encoded(self.resource()?),
                    renewal.parameters()
                ),
            )
        })
    }

    /// Service Fabric's token service. Its certificate is self-signed: the host names its
    /// thumbprint.
    pub(super) fn service_fabric(&self) -> Result<Call> {
        let endpoint = self.need(Variable::IdentityEndpoint, "source: \"imds\"")?;
        self.need(Variable::IdentityHeader, "source: \"imds\"")?;
        let thumbprint = self.need(Variable::IdentityServerThumbprint, "source: \"app-service\"")?;
        let name = Variable::IdentityEndpoint.as_str();
        if !check_address(name, endpoint)?.secure {
            return Err(no_address(name, "an https URL, as Service Fabric's is"));
        }
        let thumbprint: String = thumbprint
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|digit| digit.to_ascii_lowercase())
            .collect();
        if thumbprint.len() != 40 || !thumbprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(configuration(
                &error_text!(
                    "{} is not the SHA-1 thumbprint of a certificate",
                    Variable::IdentityServerThumbprint.as_str()
                ),
                "Expected 40 hexadecimal digits. Service Fabric sets it.",
            ));
        }
        let identity = self.identity(["client_id", "object_id", "mi_res_id"])?;
        let renewal = Renewal::of(self.request, Source::ServiceFabric);
        let separator = query_separator(endpoint);
        Ok(Call {
            renews: renewal.renews(),
            timeout_ms: renewal.timeout_ms(),
            secret: Some(SecretPlace::header("secret", Variable::IdentityHeader)),
            tls: Some(Tls {
                thumbprint: Some(thumbprint),
                ..Tls::default()
            }),
            ..Call::get(
                Source::ServiceFabric,
                format!(
                    "{endpoint}{separator}api-version=2019-07-01-preview&resource={}{identity}{}",
                    encoded(self.resource()?),
                    renewal.parameters()
                ),
            )
        })
    }

    /// Azure Machine Learning. Its version of the protocol selects an identity by client id alone.
    pub(super) fn machine_learning(&self) -> Result<Call> {
        let endpoint = self.need(Variable::MsiEndpoint, "source: \"imds\"")?;
        self.need(Variable::MsiSecret, "source: \"imds\"")?;
        check_address(Variable::MsiEndpoint.as_str(), endpoint)?;
        let request = self.request;
        if request.object_id.is_some() || request.resource_id.is_some() {
            return Err(configuration(
                "Azure Machine Learning selects an identity by its client id only",
                "Give clientId instead of objectId or resourceId.",
            ));
        }
        let mut identity = self.identity(["clientid", "", ""])?;
        if let (true, Some(id)) = (identity.is_empty(), self.get(Variable::DefaultIdentityClientId)) {
            identity = format!("&clientid={}", encoded(id));
        }
        let separator = query_separator(endpoint);
        Ok(Call {
            headers: Headers::from([("metadata", "true")]),
            secret: Some(SecretPlace::header("secret", Variable::MsiSecret)),
            ..Call::get(
                Source::MachineLearning,
                format!(
                    "{endpoint}{separator}api-version=2017-09-01&resource={}{identity}",
                    encoded(self.resource()?)
                ),
            )
        })
    }

    pub(super) fn imds(&self) -> Result<Call> {
        let host = self
            .get(Variable::AzurePodIdentityAuthorityHost)
            .unwrap_or(IMDS_HOST);
        check_address(Variable::AzurePodIdentityAuthorityHost.as_str(), host)?;
        if host.as_bytes().contains(&b'?') {
            return Err(no_address(
                Variable::AzurePodIdentityAuthorityHost.as_str(),
                "an http or https URL without a query",
            ));
        }
        let identity = self.identity(["client_id", "object_id", "msi_res_id"])?;
        Ok(Call {
            headers: Headers::from([("metadata", "true")]),
            timeout_ms: IMDS_TIMEOUT_MS,
            ..Call::get(
                Source::Imds,
                format!(
                    "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}{identity}",
                    host.trim_end_matches('/'),
                    encoded(self.resource()?)
                ),
            )
        })
    }
}
