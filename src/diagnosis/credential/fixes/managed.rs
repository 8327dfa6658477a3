//! Explains failures of managed identities, with the commands for this host.

use super::{Case, Explanation};
use crate::diagnosis::credential::code::CredentialDiagnosisCode as Code;
use crate::environment::Host;

const OUTSIDE_AZURE: &str = "Outside Azure, also in a container on a developer's machine, there is no managed identity: \
                             sign in, and use the developer tools alone:\naz login\nexport AZURE_TOKEN_CREDENTIALS=dev";

/// Returns the commands that assign an identity to this host, a line each; for an unknown host,
/// those for the usual ones. `identity`: the user-assigned one; without it, the system-assigned.
fn assign(host: Option<Host>, identity: bool) -> String {
    let line = |command: &str, option: &str| {
        let which = if identity {
            format!(" {option} <identity-resource-id>")
        } else if option == "--user-assigned" {
            " --system-assigned".to_owned()
        } else {
            String::new()
        };
        format!("\naz {command} identity assign --name <name> --resource-group <group>{which}")
    };
    match host {
        Some(Host::AppService) => line("webapp", "--identities"),
        Some(Host::Functions) => line("functionapp", "--identities"),
        Some(Host::ContainerApps) => line("containerapp", "--user-assigned"),
        _ => [
            line("webapp", "--identities"),
            line("containerapp", "--user-assigned"),
            line("vm", "--identities"),
        ]
        .concat(),
    }
}

pub(super) fn no_managed_identity(case: &Case<'_>) -> Explanation {
    let enable = format!(
        "In Azure, enable the system-assigned identity or assign a user-assigned one, and restart the app:{}",
        assign(case.host, false)
    );
    let mut fixes = match case.host {
        // It runs in Azure.
        Some(Host::AppService | Host::Functions | Host::ContainerApps) => vec![enable],
        _ => vec![OUTSIDE_AZURE.to_owned(), enable],
    };
    fixes.push(
        if case.host == Some(Host::Kubernetes) || case.code == Code::NoManagedIdentity {
            "On AKS, use workload identity: label the pod azure.workload.identity/use: \"true\", and give it a \
             service account with the annotation azure.workload.identity/client-id."
        } else {
            "On a VM or an AKS node, let requests to 169.254.169.254 pass: no proxy (NO_PROXY=169.254.169.254), no \
             firewall rule or network policy."
        }
        .to_owned(),
    );
    let reason = if case.code == Code::ImdsUnreachable {
        "No managed identity is available here: the metadata endpoint (IMDS, 169.254.169.254) cannot be reached. It \
         exists only on Azure's virtual machines and AKS nodes."
    } else {
        "This host offers no managed identity: it does not run in Azure, or none is enabled."
    };
    (reason.to_owned(), fixes)
}

pub(super) fn identity_not_assigned(case: &Case<'_>) -> Explanation {
    let which = case.details.application.as_deref().or(case.client_id);
    let reason = match which {
        Some(id) => format!(
            "The managed identity {id} is not assigned to this host, or the host has only a system-assigned \
             identity."
        ),
        None => "No managed identity that fits the request is assigned to this host: none is assigned, the requested \
                 client id is not among the assigned ones, or several are and none was chosen."
            .to_owned(),
    };
    let mut fixes = vec![
        format!(
            "Assign the user-assigned identity to the host, and set AZURE_CLIENT_ID to its client id (not its \
             object id):{}",
            assign(case.host, true)
        ),
        format!(
            "To use the system-assigned identity instead, remove AZURE_CLIENT_ID and enable it:{}",
            assign(case.host, false)
        ),
        "If several identities are assigned, name the one to use with AZURE_CLIENT_ID or the clientId option."
            .to_owned(),
    ];
    if case.says("not supported") {
        // The host takes no client id.
        fixes.swap(0, 1);
    }
    (reason, fixes)
}

pub(super) fn several_identities(case: &Case<'_>) -> Explanation {
    (
        "Several user-assigned identities are assigned to this host, and the request does not say which one to use."
            .to_owned(),
        vec![
            format!(
                "Set AZURE_CLIENT_ID to the client id of the one to use, or pass it as clientId (client_id, \
                 managed_identity_client_id):\nexport AZURE_CLIENT_ID={}",
                case.app()
            ),
            "List them with their client ids:\naz identity list --query \"[].{name:name,clientId:clientId}\" --output \
             table"
                .to_owned(),
        ],
    )
}
