//! Explains failures of applications: secrets, tenants, consent and scopes.

use super::{Case, Explanation, MANAGED_INSTEAD, capital};

pub(super) fn secret_expired(case: &Case<'_>) -> Explanation {
    (
        format!(
            "The client secret (or certificate) of {} has expired.",
            case.application()
        ),
        vec![
            format!(
                "Set AZURE_CLIENT_SECRET to the value of a new secret, which this command creates \
                 and prints once:\naz ad app credential reset --id {} --append",
                case.app()
            ),
            MANAGED_INSTEAD.to_owned(),
        ],
    )
}

pub(super) fn wrong_secret(case: &Case<'_>) -> Explanation {
    (
        format!(
            "The client secret is not one of {}: often the secret's id was given instead of \
                 its value, or the secret of another application, or one that was replaced.",
            case.application()
        ),
        vec![
            "AZURE_CLIENT_SECRET must hold the secret's value, not its id; the portal shows \
                 the value only once. Check AZURE_CLIENT_ID as well."
                .to_owned(),
            format!(
                "If the value is lost, create a new one:\naz ad app credential reset --id {} \
                 --append",
                case.app()
            ),
            MANAGED_INSTEAD.to_owned(),
        ],
    )
}

pub(super) fn certificate_not_registered(case: &Case<'_>) -> Explanation {
    (
        format!(
            "The certificate that signed the request is not registered on {}, or was replaced \
                 there: the signature of the client assertion cannot be checked.",
            case.application()
        ),
        vec![
            format!(
                "Register the certificate's public part on the application:\naz ad app credential \
                 reset --id {} --cert @<certificate>.pem --append",
                case.app()
            ),
            format!(
                "Compare the thumbprints with the registered ones:\naz ad app credential list \
                 --id {} --cert",
                case.app()
            ),
            "For subject name and issuer authentication (SNI), send the certificate chain \
                 (sendCertificateChain)."
                .to_owned(),
        ],
    )
}

pub(super) fn wrong_tenant(case: &Case<'_>) -> Explanation {
    (
        if case.has(50020)
            || case.has(90072)
            || case.has(500_200)
            || case.says("user account")
            || case.says("personal")
        {
            format!(
                "The user's account does not belong to {}: the sign-in uses another account or \
                 another tenant than the resource.",
                case.in_tenant()
            )
        } else {
            format!(
                "The tenant is wrong, missing, or not allowed for this credential: {} is not the \
                 one of the application and the resource, or is not in this cloud.",
                case.in_tenant()
            )
        },
        vec![
            "Check AZURE_TENANT_ID, or sign in to the right tenant: that of the resource and \
                 of the identity. The first command lists the tenants of your subscriptions:\naz \
                 account list --all --query \"[].{subscription:name,tenant:tenantId}\" --output \
                 table\naz login --tenant <tenant-id>"
                .to_owned(),
            "For a tenant in a sovereign cloud (US government, China) set its \
                 authority:\nexport AZURE_AUTHORITY_HOST=https://login.microsoftonline.us"
                .to_owned(),
            "If one credential should serve several tenants, list them in \
                 additionallyAllowedTenants (or \"*\")."
                .to_owned(),
        ],
    )
}

pub(super) fn application_not_found(case: &Case<'_>) -> Explanation {
    (
        format!(
            "{} is not in {}: the client id is wrong or a placeholder, the application was \
                 deleted, or it belongs to another tenant.",
            capital(&case.application()),
            case.in_tenant()
        ),
        vec![
            format!(
                "Check AZURE_CLIENT_ID (a GUID) and AZURE_TENANT_ID; this shows whether the \
                 application is there:\naz ad sp show --id {}",
                case.app()
            ),
            format!(
                "If the application is registered in another tenant, add it to this one:\naz ad \
                 sp create --id {}",
                case.app()
            ),
        ],
    )
}

pub(super) fn application_disabled(case: &Case<'_>) -> Explanation {
    (
        format!(
            "{} is disabled in {}.",
            capital(&case.application()),
            case.in_tenant()
        ),
        vec![format!(
            "Ask the tenant's administrator to enable it again:\naz ad sp update --id {} \
                 --set accountEnabled=true",
            case.app()
        )],
    )
}

pub(super) fn not_assigned_to_application(case: &Case<'_>) -> Explanation {
    (
        format!(
            "The user or application is not assigned to {}, which admits assigned principals \
                 only.",
            case.application()
        ),
        vec![
            "Ask an administrator to assign it: Microsoft Entra, Enterprise applications, \
                 Users and groups."
                .to_owned(),
            "Check that you signed in with the right account:\naz account show".to_owned(),
        ],
    )
}

pub(super) fn not_preauthorized(case: &Case<'_>) -> Explanation {
    (
        "The tool that signs in is an application of Microsoft that is not authorized for \
                 this resource, and nobody can consent to that."
            .to_owned(),
        vec![
            format!(
                "Use another credential for this resource, such as the Azure CLI:\n{}",
                if let Some(tenant) = case.tenant {
                    format!("az login --tenant {tenant}")
                } else {
                    "az login".to_owned()
                }
            ),
            "Or register an application of your own and use its client id.".to_owned(),
        ],
    )
}

pub(super) fn consent_missing(case: &Case<'_>) -> Explanation {
    (
        format!(
            "Nobody has consented to {} for this resource in {}.",
            case.application(),
            case.in_tenant()
        ),
        vec![
            format!(
                "Let an administrator consent:\naz ad app permission admin-consent --id {}",
                case.app()
            ),
            "Check that the application lists the permission, and that the scope names the \
                 right resource."
                .to_owned(),
        ],
    )
}

pub(super) fn wrong_scope(case: &Case<'_>) -> Explanation {
    let details = case.details;

    let named = Case::quoted(details.resource.as_ref());
    if case.says("supported msi token audience") || case.says("audiencenotsupported") {
        (
            format!(
                "The token service of Cloud Shell has no tokens for the audience{named}: it \
                 serves a fixed list of resources."
            ),
            vec![
                "Sign in inside Cloud Shell, so that your own sign-in is used instead:\naz login".to_owned(),
            ],
        )
    } else {
        (
            format!(
                "The resource or scope of the requested token{named} is wrong, or the tenant does \
                 not have it."
            ),
            vec![
                "Ask for one resource with /.default: https://ai.azure.com/.default, or \
                 https://cognitiveservices.azure.com/.default (for a managed identity endpoint, \
                 the resource without /.default)."
                    .to_owned(),
                format!(
                    "If the resource is right, check the tenant ({}) and, for a sovereign cloud, \
                 AZURE_AUTHORITY_HOST.",
                    case.tenant()
                ),
                "For an API of your own, give the application its permission, and have an \
                 administrator consent."
                    .to_owned(),
            ],
        )
    }
}

pub(super) fn resource_disabled(case: &Case<'_>) -> Explanation {
    (
        format!(
            "The service behind the resource{} is disabled in {}: its subscription has lapsed \
                 or was never taken, or an administrator disabled it.",
            Case::quoted(case.details.resource.as_ref()),
            case.in_tenant()
        ),
        vec![
            "Ask the tenant's administrator to renew the subscription, or to enable the \
                 service's enterprise application again."
                .to_owned(),
            "Check that the scope names the right resource: https://ai.azure.com/.default for \
                 Foundry."
                .to_owned(),
        ],
    )
}

pub(super) fn wrong_cloud(_: &Case<'_>) -> Explanation {
    (
        "The authority (login host) belongs to another cloud than the tenant or the \
                 resource."
            .to_owned(),
        vec![
            "Set the authority of the tenant's cloud: login.microsoftonline.com (public), \
                 login.microsoftonline.us (US government), login.chinacloudapi.cn \
                 (China):\nexport AZURE_AUTHORITY_HOST=https://login.microsoftonline.us"
                .to_owned(),
            "For the Azure CLI choose the cloud, then sign in again:\naz cloud set --name \
                 AzureUSGovernment\naz login"
                .to_owned(),
        ],
    )
}
