//! Explains each failure and lists its fixes, with commands of the Azure CLI for this case.

use super::request_details::Setup;
use super::{DiagnosisCode, FailedRequest, Finding, RoleAssignment, network, token_fault};
use crate::answer::body::Answer;
use crate::text::{is_guid, is_made_of};
use crate::token::claims::{self, Principal, TokenDescription};

/// Explains a code. The match has no wildcard, so that a new code without an explanation does not
/// compile.
pub(super) fn explain(code: DiagnosisCode, answer: &Answer, setup: &Setup<'_>) -> Finding {
    let (cause, fixes) = match code {
        // The claims of the token tell these apart.
        DiagnosisCode::TokenInvalid | DiagnosisCode::TokenExpired | DiagnosisCode::WrongAudience => {
            return token_fault::explain(answer, setup);
        }
        DiagnosisCode::Network => return network::explain(answer, setup),
        DiagnosisCode::MissingRole => missing_role(answer, setup),
        DiagnosisCode::DeploymentNotFound => deployment_not_found(setup),
        DiagnosisCode::WrongTenant => wrong_tenant(setup),
        DiagnosisCode::WrongPath => wrong_path(setup),
        DiagnosisCode::ApiVersion => api_version(answer),
        DiagnosisCode::RateLimited => rate_limited(answer),
        DiagnosisCode::CustomSubdomainRequired => (
            "Entra tokens are taken at a resource's own subdomain only, and this resource has none.".to_owned(),
            vec![format!(
                "Give it one; its endpoint then is https://<unique-name>.cognitiveservices.azure.com:\naz cognitiveservices account \
                 update {} --custom-domain <unique-name>",
                setup.account()
            )],
        ),
        DiagnosisCode::BadKey => (
            "The resource took what was sent for an API key. This happens when a key is sent, and when a token is sent to an \
             address that takes keys only."
                .to_owned(),
            vec![
                "Send no api-key header; the token has the Authorization header to itself:\nunset AZURE_OPENAI_API_KEY OPENAI_API_KEY"
                    .to_owned(),
                format!(
                    "Use the resource's own endpoint:\naz cognitiveservices account show {} --query properties.endpoint --output tsv",
                    setup.account()
                ),
            ],
        ),
        DiagnosisCode::KeysDisabled => (
            "An API key came with the request, and local authentication is disabled for this resource, as it should be."
                .to_owned(),
            vec![
                "Remove apiKey from the code, so that no api-key header is sent:\nunset AZURE_OPENAI_API_KEY OPENAI_API_KEY"
                    .to_owned(),
            ],
        ),
        DiagnosisCode::Firewall => firewall(setup),
        DiagnosisCode::PublicAccessDisabled => public_access_disabled(setup),
        DiagnosisCode::OperationNotSupported => operation_not_supported(setup),
        DiagnosisCode::ContentFilter => (
            "The prompt, or what the model began to say, was stopped by the deployment's content filter.".to_owned(),
            vec![
                "Rephrase the prompt; innererror.content_filter_result in the response names the category.".to_owned(),
                "Or give the deployment another content filter in the Foundry portal under Guardrails.".to_owned(),
            ],
        ),
        DiagnosisCode::GatewayKey => (
            "API Management answers before the resource does, and wants a subscription key besides the token.".to_owned(),
            vec![
                "Ask the gateway's operator for a product that needs no subscription, or for a key, and send that in the header \
                 Ocp-Apim-Subscription-Key (in code: the headers option)."
                    .to_owned(),
                "Or go past the gateway, to the resource's own endpoint.".to_owned(),
            ],
        ),
        DiagnosisCode::BadRequest => (
            "The resource understood who asks, but not what: a field is missing, wrong, or not known to this model.".to_owned(),
            vec![
                "Go by the resource's own words; see the request that is made:\ncopilot-keyless config".to_owned(),
            ],
        ),
        DiagnosisCode::ServerError => (
            format!("{} answered with HTTP {}.", setup.host(), setup.failure.status),
            vec![
                "Try again. If it lasts, see https://status.azure.com and the resource's metrics in the Azure portal.".to_owned(),
            ],
        ),
        DiagnosisCode::Ok => (format!("HTTP {}", setup.failure.status), Vec::new()),
        DiagnosisCode::Unknown => unknown(answer, setup),
    };
    Finding { code, cause, fixes }
}

fn missing_role(answer: &Answer, setup: &Setup<'_>) -> (String, Vec<String>) {
    let claims = claims::describe(setup.failure.token());
    let action = answer.word_after("data action ").unwrap_or_default();
    // Only the token decides who gets the role. The server is not trusted: the cause shows the
    // principal that it names, but no command contains it.
    let named = answer.word_after("The principal ").filter(|name| is_guid(name));
    let principal = principal_of(&claims);
    let other = match (principal, named) {
        (Some(own), Some(named)) if !named.eq_ignore_ascii_case(own) => {
            format!(" The answer names another one, {named}: find out why before you give it a role.")
        }
        (None, Some(named)) => {
            format!(" The answer names {named}: make sure that this is yours before you give it a role.")
        }
        _ => String::new(),
    };
    let needed = assignment(setup, action, principal);
    let who = match claims.principal {
        Principal::ManagedIdentity => "The managed identity",
        Principal::User => "The user",
        Principal::App => "The application",
        Principal::Unknown => "The principal",
    };
    let of = principal.map(|id| format!(" {id}")).unwrap_or_default();
    let wants = if action.starts_with("Microsoft.") && is_made_of(action, b"./*") {
        format!(", which wants the data action {action}")
    } else {
        String::new()
    };
    let mut fixes = vec![format!(
        "Assign the role {} (someone with Owner or User Access Administrator must run this):\n{}",
        needed.role, needed.command
    )];
    if principal.is_none() {
        fixes.push(
            "The object id of whoever is signed in:\naz ad signed-in-user show --query id --output tsv"
                .to_owned(),
        );
    }
    fixes.push(
        "If it has just been assigned, wait: it can take five minutes and more to take effect.".to_owned(),
    );
    (
        format!(
            "{who}{of} is signed in, but has no role on the resource that allows this request{wants}. Owner and Contributor do \
             not count: they manage the resource and give no access to its models.{other}"
        ),
        fixes,
    )
}

/// Returns the principal of a token, which needs the role.
pub(super) fn principal_of(claims: &TokenDescription) -> Option<&str> {
    claims.object_id.as_deref().filter(|id| is_guid(id))
}

/// Returns the role that an action needs, and the command that assigns it.
pub(super) fn assignment(setup: &Setup<'_>, action: &str, principal: Option<&str>) -> RoleAssignment {
    let (role, role_id) = setup.role(action);
    RoleAssignment {
        role,
        role_id,
        command: format!(
            "az role assignment create --assignee {} --role {role_id} --scope {}",
            principal.unwrap_or("<object-id>"),
            setup.resource_id()
        ),
    }
}

fn deployment_not_found(setup: &Setup<'_>) -> (String, Vec<String>) {
    let name = setup
        .deployment()
        .map(|name| format!(" \"{name}\""))
        .unwrap_or_default();
    (
        format!(
            "The resource has no deployment{name}. The name of a deployment is chosen when it is made and need not be the model's."
        ),
        vec![
            format!(
                "See which there are, and name one (in code: deployment; else FOUNDRY_MODEL_NAME):\naz cognitiveservices account \
                 deployment list {} --query \"[].name\" --output tsv",
                setup.account()
            ),
            "If it was made just now, wait five minutes.".to_owned(),
        ],
    )
}

fn wrong_tenant(setup: &Setup<'_>) -> (String, Vec<String>) {
    let claims = claims::describe(setup.failure.token());
    let tenant = claims
        .tenant_id
        .filter(|id| is_guid(id))
        .map(|id| format!(" ({id})"))
        .unwrap_or_default();
    let sign_in = match claims.principal {
        Principal::ManagedIdentity => {
            "A managed identity belongs to the tenant of its subscription: use a resource in that tenant, or a federated \
             credential of an application in the resource's tenant."
        }
        _ => {
            "Sign in to the resource's tenant, and set AZURE_TENANT_ID to it:\naz login --tenant <tenant-of-the-resource>"
        }
    };
    (
        format!("The token was issued by one tenant{tenant} and the resource belongs to another."),
        vec![
            sign_in.to_owned(),
            "The tenant of the subscription that holds the resource:\naz account list --all --query \"[].{subscription:name, \
             tenant:tenantId}\" --output table"
                .to_owned(),
        ],
    )
}

fn wrong_path(setup: &Setup<'_>) -> (String, Vec<String>) {
    let mut fixes = Vec::new();
    if let Some(endpoint) = setup.endpoint {
        fixes.push(format!(
            "The base URL for this endpoint is {} (type {}); see what is used, and why:\ncopilot-keyless config",
            endpoint.base_url,
            endpoint.provider_type.as_str()
        ));
    } else {
        fixes.push("See which base URL is used, and why:\ncopilot-keyless config".to_owned());
    }
    fixes.push(
        "A Foundry project is named in the path (/api/projects/<project>), and only a services.ai.azure.com host has projects \
         and Anthropic models."
            .to_owned(),
    );
    (format!("{} knows no such path.", setup.host()), fixes)
}

fn api_version(answer: &Answer) -> (String, Vec<String>) {
    if answer.says("not allowed") {
        return (
            "The v1 route takes no api-version, and one was sent.".to_owned(),
            vec!["Leave apiVersion out, and take ?api-version= off the endpoint.".to_owned()],
        );
    }
    (
        "The route does not know the API version that was sent, or needs a later one.".to_owned(),
        vec![
            "Leave apiVersion out: the v1 route needs none.".to_owned(),
            "Or give a later one; the Responses API needs 2025-03-01-preview at least.".to_owned(),
        ],
    )
}

fn rate_limited(answer: &Answer) -> (String, Vec<String>) {
    if answer.says("insufficient_quota") {
        return (
            "The account's quota or credit is spent; waiting does not bring it back.".to_owned(),
            vec!["See the subscription's billing and quota in the portal.".to_owned()],
        );
    }
    (
        "The deployment has served as many requests or tokens as its quota allows for now.".to_owned(),
        vec![
            "Wait as long as the response says; the Copilot runtime does so by itself, six times.".to_owned(),
            "Raise the deployment's tokens per minute in the Foundry portal; see what the region allows:\naz cognitiveservices usage \
             list --location <region> --output table"
                .to_owned(),
        ],
    )
}

fn operation_not_supported(setup: &Setup<'_>) -> (String, Vec<String>) {
    let fix = match setup.failure.wire_api.as_deref() {
        Some("responses") => {
            "Use the chat completions API (in code: wireApi: \"completions\"), or a deployment of another model."
        }
        Some("completions") => {
            "Use the Responses API (in code: wireApi: \"responses\"), or a deployment of another model."
        }
        _ => {
            "Use the other API (in code: wireApi: \"responses\" or \"completions\"), or a deployment of another model."
        }
    };
    (
        "The deployment exists, but its model does not serve this API: some models have the Responses API only, some chat \
         completions only, and embedding models neither."
            .to_owned(),
        vec![fix.to_owned()],
    )
}

fn firewall(setup: &Setup<'_>) -> (String, Vec<String>) {
    (
            "The resource lets in selected networks only, and the request came from another.".to_owned(),
            vec![
                format!(
                    "On a developer's machine, allow its public address:\naz cognitiveservices account network-rule add {} \
                     --ip-address <your-public-address>",
                    setup.account()
                ),
                "In Azure, send the app's traffic through a subnet that the resource allows (VNet integration), or through a \
                 private endpoint."
                    .to_owned(),
            ],
        )
}

fn public_access_disabled(setup: &Setup<'_>) -> (String, Vec<String>) {
    (
            "The resource's public network access is disabled, and the request did not come through a private endpoint."
                .to_owned(),
            vec![
                format!(
                    "Run where the private endpoint is reachable, and check that {} resolves to its private address there.",
                    setup.host()
                ),
                format!(
                    "Or open it, if your organisation's policy allows:\naz resource update --ids {} --set \
                     properties.publicNetworkAccess=Enabled",
                    setup.resource_id()
                ),
            ],
        )
}

fn unknown(answer: &Answer, setup: &Setup<'_>) -> (String, Vec<String>) {
    let FailedRequest { status, headers, .. } = setup.failure;
    if (300..400).contains(status) || answer.says("redirects to another address") {
        let target = headers
            .text("location")
            .filter(|target| target.len() <= 200 && is_made_of(target, b":/.-_~"))
            .map(|target| format!(", {target}"))
            .unwrap_or_default();
        return (
            format!(
                "{} redirects to another address{target}. That is not followed, because the token would go along.",
                setup.host()
            ),
            vec![
                "Give the resource's own address. A sign-in page or a proxy's notice redirects, too."
                    .to_owned(),
            ],
        );
    }
    if *status == 0 {
        return (
            "The request failed before an answer could be read.".to_owned(),
            vec!["Go by the words below; they are not the resource's.".to_owned()],
        );
    }
    (
        format!(
            "{} answered with HTTP {status}, in words that are not known here.",
            setup.host()
        ),
        vec!["Go by the resource's own words.".to_owned()],
    )
}
