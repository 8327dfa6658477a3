//! Explains each failure and lists its fixes, with commands of the Azure CLI for this case.

use super::request_details::Setup;
use super::{
    DiagnosisCode, FailedRequest, Finding, RoleAssignment, fixed, gateway, network, rate_limit,
    request_fixes, token_fault,
};
use crate::answer::body::Answer;
use crate::text::{is_guid, is_made_of};
use crate::token::claims::{self, Principal, TokenDescription};

/// Explains a code. The match has no wildcard, so that a new code without an explanation does not
/// compile.
pub(super) fn explain(code: DiagnosisCode, answer: &Answer, setup: &Setup<'_>) -> Finding {
    let (cause, fixes) = match code {
        // The claims of the token tell these apart.
        DiagnosisCode::TokenInvalid
        | DiagnosisCode::TokenExpired
        | DiagnosisCode::WrongAudience
        | DiagnosisCode::WrongCloud
        | DiagnosisCode::ClaimsChallenge => return token_fault::explain(code, answer, setup),
        DiagnosisCode::Network => return network::explain(answer, setup),
        DiagnosisCode::FirstByteTimeout => (
            format!("The request was sent to {}, which has answered nothing so far.", setup.the_host()),
            vec![
                "Try again. If it lasts, look at the deployment's load and latency in the Azure portal, and for a gateway or \
                 proxy that holds responses back."
                    .to_owned(),
                "If this model thinks longer before it answers, raise firstByteTimeoutMs (and timeoutMs).".to_owned(),
            ],
        ),
        DiagnosisCode::MissingRole => missing_role(answer, setup),
        DiagnosisCode::DeploymentNotFound => deployment_not_found(setup),
        DiagnosisCode::ResourceNotFound => resource_not_found(answer, setup),
        DiagnosisCode::WrongTenant => wrong_tenant(setup),
        DiagnosisCode::WrongPath => wrong_path(setup),
        DiagnosisCode::ApiVersion => request_fixes::api_version(answer),
        DiagnosisCode::RateLimited => rate_limit::explain(answer, setup),
        DiagnosisCode::QuotaExceeded => rate_limit::quota_exceeded(answer),
        DiagnosisCode::CustomSubdomainRequired => (
            "Entra tokens are accepted at a resource's own subdomain only, and this address is not one.".to_owned(),
            vec![format!(
                "Give the resource a custom subdomain, then use https://<unique-name>.cognitiveservices.azure.com:\naz \
                 cognitiveservices account update {} --custom-domain <unique-name>",
                setup.account()
            )],
        ),
        DiagnosisCode::BadKey => (
            "The resource read the credential as an API key and rejected it. This happens when the request has an API key, and \
             when a token goes to an address that accepts keys only."
                .to_owned(),
            vec![
                "Send no api-key header; the token goes into the Authorization header:\nunset AZURE_OPENAI_API_KEY OPENAI_API_KEY"
                    .to_owned(),
                format!(
                    "Use the resource's own endpoint:\naz cognitiveservices account show {} --query properties.endpoint --output tsv",
                    setup.account()
                ),
            ],
        ),
        DiagnosisCode::KeysDisabled => fixed("The request has an API key, and local authentication is disabled for this resource. Keep it disabled.", &["Remove apiKey from the code, so that no api-key header is sent:\nunset AZURE_OPENAI_API_KEY OPENAI_API_KEY"]),
        DiagnosisCode::Firewall => firewall(setup),
        DiagnosisCode::PublicAccessDisabled => public_access_disabled(setup),
        DiagnosisCode::ResourceBlocked => resource_blocked(answer),
        DiagnosisCode::OperationNotSupported => request_fixes::operation_not_supported(setup),
        DiagnosisCode::UnsupportedParameter => request_fixes::unsupported_parameter(answer),
        DiagnosisCode::ContextLength => request_fixes::context_length(answer),
        DiagnosisCode::EncryptedContent => request_fixes::encrypted_content(),
        DiagnosisCode::ItemNotFound => request_fixes::item_not_found(),
        DiagnosisCode::ContentFilter => request_fixes::content_filter(),
        DiagnosisCode::GatewayKey => fixed("API Management responded, not the resource. It requires a subscription key besides the token.", &["Ask the gateway's operator for a product without subscription, or send its key in the header \
                 Ocp-Apim-Subscription-Key (in code: the headers option).",
                "Or use the resource's own endpoint instead of the gateway."]),
        DiagnosisCode::GatewayPage => gateway::page(answer, setup),
        DiagnosisCode::BadRequest => fixed("The resource accepted the caller but not the request: a field is missing, wrong, or unknown to this model.", &["Read the resource's message, and compare it with the request:\ncopilot-keyless config"]),
        DiagnosisCode::ServerError => (
            match gateway::sender(answer, setup) {
                Some(product) => format!("{product} in front of {} answered with HTTP {}.", setup.the_host(), setup.status),
                None => format!("{} answered with HTTP {}.", setup.host(), setup.status),
            },
            vec![
                "Try again. If it lasts, see https://status.azure.com and the resource's metrics in the Azure portal.".to_owned(),
            ],
        ),
        DiagnosisCode::Ok => (format!("HTTP {}", setup.status), Vec::new()),
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
            format!(" The response names another one, {named}: find out why before you assign it a role.")
        }
        (None, Some(named)) => {
            format!(" The response names {named}: make sure that it is yours before you assign it a role.")
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
        format!(", which needs the data action {action}")
    } else {
        String::new()
    };
    let mut fixes = vec![format!(
        "Assign the role {} (someone with Owner or User Access Administrator must run this):\n{}",
        needed.role, needed.command
    )];
    if principal.is_none() {
        fixes.push(
            "Get the object id of the signed-in user:\naz ad signed-in-user show --query id --output tsv"
                .to_owned(),
        );
    }
    fixes.push("If the role is new, wait: it can take five minutes or more to take effect.".to_owned());
    (
        format!(
            "{who}{of} is signed in but has no role on the resource that allows this request{wants}. Owner and Contributor \
             manage the resource; they give no access to its models.{other}"
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
    let list = format!(
        "List the deployments, and use one of their names (in code: deployment; else FOUNDRY_MODEL_NAME):\naz cognitiveservices \
         account deployment list {} --query \"[].name\" --output tsv",
        setup.account()
    );
    if let Some(agent) = setup.agent() {
        return (
            format!(
                "The sub-agent {agent} asked for the model{name}, which its definition names or the Copilot runtime chose. The resource has no \
                 such deployment."
            ),
            vec![
                "Give that agent a model that is deployed (in code: customAgents: [{ name, model }]), or create a deployment of \
                 that name."
                    .to_owned(),
                list,
            ],
        );
    }
    (
        format!(
            "The resource has no deployment{name}. A deployment's name is set when it is created, and can differ from the model's \
             name."
        ),
        vec![list, "If the deployment is new, wait five minutes.".to_owned()],
    )
}

fn resource_not_found(answer: &Answer, setup: &Setup<'_>) -> (String, Vec<String>) {
    if answer.says("subscription") {
        return fixed(
            "Azure does not find the subscription: it belongs to another tenant or another Azure cloud, or the name is wrong.",
            &[
                "List the subscriptions of all tenants:\naz account list --all --query \"[].{subscription:name, \
                 tenant:tenantId}\" --output table",
                "For Azure Government or Azure China, sign in to that cloud first (az cloud set).",
            ],
        );
    }
    (
        format!(
            "There is no resource or project at {}: it was deleted, has another name, or has no custom subdomain.",
            setup.the_host()
        ),
        vec![
            "List the endpoints of your resources:\naz cognitiveservices account list --query \"[].properties.endpoint\" \
             --output tsv"
                .to_owned(),
            "Only a services.ai.azure.com host has projects; check the project's name in the path.".to_owned(),
        ],
    )
}

fn resource_blocked(answer: &Answer) -> (String, Vec<String>) {
    if answer.says("policy") && answer.says("disallowed") {
        return fixed(
            "An Azure Policy of the organisation denies this operation.",
            &[
                "Read the policy's name in the message, and change the resource so that it complies; or ask the policy's owner \
                  for an exemption.",
            ],
        );
    }
    if answer.says("subscription") {
        return fixed(
            "The Azure subscription is disabled, so its resources accept no changes.",
            &["Enable the subscription in the Azure portal under Cost Management + Billing."],
        );
    }
    fixed(
        "Azure has blocked the resource because of behavior that may violate its content policy. A role or a retry does not help; \
         more requests can prolong the block.",
        &[
            "Stop sending requests, and find out which prompts caused it (Foundry portal, Guardrails, Risks & alerts).",
            "Ask Azure's support to lift the block; the rules are at https://aka.ms/aoaicodeofconduct.",
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
            "A managed identity belongs to the tenant of its subscription. Use a resource in that tenant, or a federated \
             credential of an application in the resource's tenant."
        }
        _ => {
            "Sign in to the resource's tenant, and set AZURE_TENANT_ID to it:\naz login --tenant <tenant-of-the-resource>"
        }
    };
    (
        format!("The token's tenant{tenant} is not the tenant of the resource."),
        vec![
            sign_in.to_owned(),
            "Find the tenant of the resource's subscription:\naz account list --all --query \"[].{subscription:name, \
             tenant:tenantId}\" --output table"
                .to_owned(),
        ],
    )
}

fn wrong_path(setup: &Setup<'_>) -> (String, Vec<String>) {
    let mut fixes = Vec::new();
    if let Some(endpoint) = setup.endpoint {
        fixes.push(format!(
            "The base URL for this endpoint is {} (type {}). Compare it with the settings:\ncopilot-keyless config",
            endpoint.base_url,
            endpoint.provider_type.as_str()
        ));
    } else {
        fixes.push("See which base URL is used:\ncopilot-keyless config".to_owned());
    }
    fixes.push(
        "Put a Foundry project into the path (/api/projects/<project>). Only services.ai.azure.com hosts have projects and \
         Anthropic models."
            .to_owned(),
    );
    (format!("{} has no such path.", setup.host()), fixes)
}

fn firewall(setup: &Setup<'_>) -> (String, Vec<String>) {
    (
            "The resource accepts selected networks only, and the request came from another one.".to_owned(),
            vec![
                format!(
                    "On a developer's machine, allow its public IP address:\naz cognitiveservices account network-rule add {} \
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
                    setup.the_host()
                ),
                format!(
                    "Or enable public access, if your organisation's policy allows it:\naz resource update --ids {} --set \
                     properties.publicNetworkAccess=Enabled",
                    setup.resource_id()
                ),
            ],
        )
}

fn unknown(answer: &Answer, setup: &Setup<'_>) -> (String, Vec<String>) {
    let FailedRequest { headers, .. } = setup.failure;
    if (300..400).contains(&setup.status) || answer.says("redirects to another address") {
        let target = headers
            .text("location")
            .filter(|target| target.len() <= 200 && is_made_of(target, b":/.-_~"))
            .map(|target| format!(", {target}"))
            .unwrap_or_default();
        return (
            format!(
                "{} redirects to another address{target}. Redirects are not followed, because the token would go there, too.",
                setup.host()
            ),
            vec!["Use the resource's own address. Sign-in pages and proxies also redirect.".to_owned()],
        );
    }
    if setup.status == 0 {
        return fixed(
            "The request failed before a response could be read.",
            &["Read the message; it is not the resource's."],
        );
    }
    if setup.status == 403 && matches!(answer.message.as_str(), "" | "Forbidden") {
        return (
            format!("{} answered with HTTP 403 and no reason.", setup.host()),
            vec![
                "Azure's model endpoints give a reason, so a gateway, a proxy or a web firewall may have answered: ask its \
                 operator. Else check the role of the principal:\ncopilot-keyless doctor"
                    .to_owned(),
            ],
        );
    }
    (
        format!(
            "{} answered with HTTP {} and a message that is not known here.",
            setup.host(),
            setup.status
        ),
        vec!["Read the resource's own words in the message.".to_owned()],
    )
}
