//! Explains failures of federated tokens and client assertions.

use super::{Case, Explanation, capital};

pub(super) const ISSUER_KEYS: &str = "Check that the issuer publishes its keys: its address with \
                 /.well-known/openid-configuration must be reachable from the internet.";

pub(super) fn federated_subject(case: &Case<'_>) -> Explanation {
    let case_differs = case.has(7_002_138) || case.says("case-sensitive");
    let reason = format!(
        "No federated credential of {} has the subject of the token{}.{}",
        case.application(),
        if case_differs {
            ": the registered one differs in upper and lower case, which counts"
        } else {
            ""
        },
        case.names_to_check()
    );
    (
        reason,
        vec![
            format!(
                "Compare with the registered subjects, letter by letter:\n{}",
                case.list_federated_credentials()
            ),
            format!(
                "Add a federated credential with exactly the token's subject (for a user-assigned \
                 identity: az identity federated-credential create):\n{}",
                case.add_federated_credential()
            ),
            "GitHub's subject depends on the branch, tag, pull request or environment of the \
                 job; that of Kubernetes on namespace and service account."
                .to_owned(),
        ],
    )
}

pub(super) fn federated_issuer(case: &Case<'_>) -> Explanation {
    (
        format!(
            "No federated credential of {} has the issuer of the token.{}",
            case.application(),
            case.names_to_check()
        ),
        vec![
            format!(
                "Compare with the registered issuers, including a trailing slash:\n{}",
                case.list_federated_credentials()
            ),
            "On AKS the issuer is that of this cluster:\naz aks show --name <cluster> \
                 --resource-group <group> --query oidcIssuerProfile.issuerUrl --output tsv"
                .to_owned(),
            format!(
                "Add a federated credential with the token's issuer:\n{}",
                case.add_federated_credential()
            ),
        ],
    )
}

pub(super) fn federated_audience(case: &Case<'_>) -> Explanation {
    let details = case.details;
    (
        format!(
            "No federated credential of {} has the audience{} of the token.",
            case.application(),
            Case::quoted(details.audience.as_ref())
        ),
        vec![
            "Request the token for the audience api://AzureADTokenExchange (Azure's other \
                 clouds have their own), or register the token's audience."
                .to_owned(),
            format!(
                "Compare with the registered audiences:\n{}",
                case.list_federated_credentials()
            ),
        ],
    )
}

pub(super) fn federated_mismatch(case: &Case<'_>) -> Explanation {
    let details = case.details;
    (
        format!(
            "No federated credential of {} matches the token: its issuer, subject or \
                 audience{} is another.{}",
            case.application(),
            Case::quoted(details.audience.as_ref()),
            case.names_to_check()
        ),
        vec![
            format!(
                "Compare issuer, subject and audience with the token's, letter by letter:\n{}",
                case.list_federated_credentials()
            ),
            format!(
                "Add a federated credential that matches:\n{}",
                case.add_federated_credential()
            ),
            "A federated credential that was just created works after a few minutes: try \
                 again."
                .to_owned(),
        ],
    )
}

pub(super) fn federated_none(case: &Case<'_>) -> Explanation {
    (
        format!(
            "{} has no federated credential, so it accepts no federated token.{}",
            capital(&case.application()),
            case.names_to_check()
        ),
        vec![
            format!(
                "Add one for the token's issuer and subject (for a user-assigned identity: az identity \
                 federated-credential create):\n{}",
                case.add_federated_credential()
            ),
            "Check AZURE_CLIENT_ID: it must be the application or identity that has the \
                 federated credential."
                .to_owned(),
        ],
    )
}

pub(super) fn assertion_expired(_: &Case<'_>) -> Explanation {
    (
        "The federated token or client assertion has expired, or is not valid yet: it was \
                 requested too long ago, its file is not renewed, or the clock of this machine is \
                 wrong."
            .to_owned(),
        vec![
            "Request a new token for each sign-in: in a long job of a pipeline sign in again \
                 before the step that failed; read AZURE_FEDERATED_TOKEN_FILE each time."
                .to_owned(),
            "Check the clock and the time zone of the machine that makes the assertion (its \
                 times are UTC):\ndate -u"
                .to_owned(),
            "Update the library if it caches assertions.".to_owned(),
        ],
    )
}

pub(super) fn assertion_invalid(_: &Case<'_>) -> Explanation {
    (
        "Entra cannot validate the federated token or client assertion: it is malformed, \
                 its signature does not fit, or it is not meant for this exchange."
            .to_owned(),
        vec![
            "Pass the token of the identity provider as it is: no quotes, no line break, no \
                 access token of Entra in its place."
                .to_owned(),
            ISSUER_KEYS.to_owned(),
        ],
    )
}

pub(super) fn assertion_missing(case: &Case<'_>) -> Explanation {
    let mut fixes = Vec::new();
    if [
        "oidcrequesturi",
        "azurepipelines",
        "service connection",
        "system_accesstoken",
    ]
    .iter()
    .any(|words| case.says(words))
    {
        fixes.push(
            "In Azure Pipelines, run the step in a task with a service connection \
                 (AzureCLI@2), and pass System.AccessToken and the connection's id."
                .to_owned(),
        );
    } else if case.says("id-token")
        || case.says("actions_id_token")
        || case.says("github")
        || case.says("oidc")
    {
        fixes.push(
            "In GitHub Actions, let the job request a token: give it the permission id-token \
                 with the value write, beside contents with the value read."
                .to_owned(),
        );
    }
    fixes.push(
        "On Kubernetes, give the pod the label azure.workload.identity/use: \"true\" and \
                 a service account with the annotation azure.workload.identity/client-id, then \
                 restart it: the webhook mounts the token and sets AZURE_FEDERATED_TOKEN_FILE, \
                 AZURE_CLIENT_ID and AZURE_TENANT_ID."
            .to_owned(),
    );
    fixes.push("Elsewhere, set AZURE_FEDERATED_TOKEN_FILE to the path of a file with the token.".to_owned());
    (
        "The federated token is missing: the variable or file that should hold it is not \
                 there, or cannot be read."
            .to_owned(),
        fixes,
    )
}
