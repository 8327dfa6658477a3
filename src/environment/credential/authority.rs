//! Chooses the authority host to sign in at.

use super::detect::Signs;
use crate::endpoint::{Cloud, authority_host};
use crate::environment::Variable;
use crate::error::error_text;
use crate::text::address::Address;
use crate::text::split_once;
use crate::{Code, Error, Result};
use crate::{Notice, NoticeCode};

const AUTHORITY_HOST: &str = Variable::AzureAuthorityHost.as_str();

/// The authority hosts of Microsoft Entra, by cloud.
const AUTHORITIES: [(&str, Cloud); 8] = [
    ("login.microsoftonline.com", Cloud::Public),
    ("login.windows.net", Cloud::Public),
    ("login.microsoft.com", Cloud::Public),
    ("sts.windows.net", Cloud::Public),
    ("login.microsoftonline.us", Cloud::Usgov),
    ("login.usgovcloudapi.net", Cloud::Usgov),
    ("login.chinacloudapi.cn", Cloud::China),
    ("login.partner.microsoftonline.cn", Cloud::China),
];

/// Chooses the authority host by the endpoint's cloud. `AZURE_AUTHORITY_HOST` wins if it belongs to
/// that cloud, or if the endpoint's cloud is unknown. For the public cloud it may also be an
/// unknown host, such as a private one.
///
/// Errors: rejects a value that is not a host alone, because its real host may differ from the
/// apparent one.
pub(super) fn choose(vars: &Signs<'_>, cloud: Cloud, warnings: &mut Vec<Notice>) -> Result<Option<String>> {
    let of_cloud = match cloud {
        Cloud::Usgov | Cloud::China => authority_host(cloud),
        Cloud::Public | Cloud::Unknown => None,
    };
    let Some(given) = vars.get(Variable::AzureAuthorityHost) else {
        return Ok(of_cloud.map(str::to_owned));
    };
    let (secure, rest) = match split_once(given, "://") {
        Some((scheme, rest)) => (scheme.eq_ignore_ascii_case("https"), rest),
        None => (false, given),
    };
    let host = Address::without_scheme(rest)
        .filter(Address::is_host_alone)
        .ok_or_else(not_a_host)?
        .host;
    let named = AUTHORITIES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(host));
    let agrees = match named {
        Some((_, named)) => cloud == Cloud::Unknown || *named == cloud,
        None => of_cloud.is_none(),
    };
    if !agrees {
        let expected = authority_host(cloud).unwrap_or_default();
        warnings.push(Notice::new(
            NoticeCode::AuthorityHostConflict,
            format!("{AUTHORITY_HOST} is not of the endpoint's cloud; {expected} is used."),
        ));
        return Ok(Some(expected.to_owned()));
    }
    if !secure {
        warnings.push(Notice::new(
            NoticeCode::AuthorityHostMalformed,
            format!("{AUTHORITY_HOST} must begin with https://; @azure/identity refuses it."),
        ));
    }
    Ok(Some(given.to_owned()))
}

/// Returns the cloud of an authority. Unknown for a private one.
pub(crate) fn cloud_of_authority(authority: &str) -> Cloud {
    let host = Address::read(authority).map(|address| address.host);
    let named = |(name, _): &&(&str, Cloud)| host.is_some_and(|host| name.eq_ignore_ascii_case(host));
    AUTHORITIES
        .iter()
        .find(named)
        .map_or(Cloud::Unknown, |(_, cloud)| *cloud)
}

/// Checks the authority that [`Variable::AzureAuthorityHost`] names for the OIDC token of a job: one of
/// Microsoft Entra, or this machine. Any other host could redeem the token at Entra itself.
///
/// Errors: `credential/configuration` for another host.
pub(crate) fn check_job_authority(authority: &str) -> Result<()> {
    let Some(address) = Address::read(authority) else {
        // No URL: refused where the request is described.
        return Ok(());
    };
    if address.is_loopback() || cloud_of_authority(authority) != Cloud::Unknown {
        return Ok(());
    }
    Err(Error::new(
        Code::CredentialConfiguration,
        error_text!("{AUTHORITY_HOST} is no authority of Microsoft Entra, so the job's OIDC token is not sent there"),
    )
    .hint("Unset it, or set it to the sign-in host of your cloud, such as https://login.microsoftonline.com. To send the token to another host, pass a direct credential with the authorityHost option."))
}

fn not_a_host() -> Error {
    Error::new(
        Code::CredentialConfiguration,
        error_text!("{AUTHORITY_HOST} is more than the address of a host, or none"),
    )
    .hint("Write it as https://login.microsoftonline.com, without a user name, a path or a query, or unset it for the public cloud.")
}
