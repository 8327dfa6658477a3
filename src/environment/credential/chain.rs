//! Lists the credentials that a chain tries.

use super::CredentialKind;
use super::choice::Choice;
use super::detect::Signs;
use crate::environment::Variable;
use crate::{Result, Variables};

/// The developer tools, in the order of `DefaultAzureCredential`.
const TOOLS: [CredentialKind; 3] = [
    CredentialKind::AzureCli,
    CredentialKind::AzurePowerShell,
    CredentialKind::AzureDeveloperCli,
];

/// Lists the credentials to try, in this order, until one returns a token: the one of
/// [`credential`](super::credential), or for a chain its members. Service principals and workload
/// identities are members only where all their variables are set.
///
/// Errors: `credential/configuration` for an unknown `AZURE_TOKEN_CREDENTIALS`.
///
/// ```
/// use copilot_keyless::Variables;
/// use copilot_keyless::environment::{CredentialKind, credential_chain};
///
/// let prod = Variables::from([("AZURE_TOKEN_CREDENTIALS", "prod")]);
/// assert_eq!(credential_chain(&prod)?, [CredentialKind::ManagedIdentity]);
/// assert_eq!(credential_chain(&Variables::new())?.len(), 4);
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn credential_chain(env: &Variables) -> Result<Vec<CredentialKind>> {
    let signs = Signs(env);
    let identities = signs.identities();
    let choice = match signs.get(Variable::AzureTokenCredentials) {
        Some(value) => Choice::named(value)?,
        None => Choice::found(&identities),
    };
    let complete = identities
        .iter()
        .filter(|identity| {
            let in_chain = [CredentialKind::Environment, CredentialKind::WorkloadIdentity];
            in_chain.contains(&identity.kind) && identity.complete().is_some()
        })
        .map(|identity| identity.kind);
    Ok(match choice.kind {
        CredentialKind::DeveloperTools => TOOLS.to_vec(),
        CredentialKind::DeployedService => complete.chain([CredentialKind::ManagedIdentity]).collect(),
        CredentialKind::Default => [CredentialKind::ManagedIdentity]
            .into_iter()
            .chain(TOOLS)
            .collect(),
        kind => vec![kind],
    })
}
