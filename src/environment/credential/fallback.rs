//! Tells whether the direct credential can take the place of the default one.

use super::CredentialKind;
use super::choice::Choice;
use super::detect::Signs;
use crate::Variables;
use crate::environment::Variable;

/// Whether the default credential ends at this host's managed identity, so that the direct
/// credential can ask for the same one when `@azure/identity` itself fails: for
/// `ManagedIdentityCredential`, and for the chain `prod` where an identity endpoint comes first in
/// it. Not where a federated token is exchanged: that is another identity.
///
/// `arc_agent`: whether the agent of Azure Arc is installed. MSAL then asks that agent in the place
/// of IMDS, whose identity would be another one.
///
/// ```
/// use copilot_keyless::Variables;
/// use copilot_keyless::environment::has_direct_fallback;
///
/// let endpoint = [("IDENTITY_ENDPOINT", "set"), ("IDENTITY_HEADER", "set")];
/// assert!(has_direct_fallback(&Variables::from(endpoint), true));
///
/// let named = Variables::from([("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")]);
/// assert!(has_direct_fallback(&named, false));
/// assert!(!has_direct_fallback(&named, true));
/// ```
pub fn has_direct_fallback(env: &Variables, arc_agent: bool) -> bool {
    let signs = Signs(env);
    let identities = signs.identities();
    let choice = match signs.get(Variable::AzureTokenCredentials) {
        Some(value) => Choice::named(value).ok(),
        None => Some(Choice::found(&identities)),
    };
    if arc_agent && !signs.comes_before_arc() {
        return false;
    }
    choice.is_some_and(|choice| {
        choice.used(&identities) == CredentialKind::ManagedIdentity
            && !identities
                .iter()
                .any(|identity| identity.complete().is_some() && choice.exchanges(identity))
    })
}
