//! Returns advice for the most common refusals of Entra.

/// Entra's error numbers and the advice for each.
const ADVICE: [(&str, &str); 19] = [
    (
        "AADSTS7000215",
        "The client secret is wrong: AZURE_CLIENT_SECRET must hold the secret's value, not its id.",
    ),
    (
        "AADSTS7000222",
        "The client secret has expired: make a new one, or better use a federated credential or a managed identity.",
    ),
    (
        "AADSTS700016",
        "The tenant does not know this application: check AZURE_CLIENT_ID and AZURE_TENANT_ID.",
    ),
    (
        "AADSTS700024",
        "The federated token is too old or not yet valid: check the clock, and that the token file is renewed.",
    ),
    (
        "AADSTS70021",
        "No federated credential of the application matches the token: compare its issuer, subject and audience with the token's, letter by letter.",
    ),
    (
        "AADSTS700211",
        "No federated credential has the token's issuer: compare them letter by letter.",
    ),
    (
        "AADSTS700212",
        "No federated credential has the token's audience: it is usually api://AzureADTokenExchange.",
    ),
    (
        "AADSTS700213",
        "No federated credential has the token's subject: compare them letter by letter.",
    ),
    (
        "AADSTS90002",
        "There is no such tenant in this cloud: check AZURE_TENANT_ID, and AZURE_AUTHORITY_HOST for a sovereign cloud.",
    ),
    (
        "AADSTS900023",
        "The tenant is neither a GUID nor a domain: check AZURE_TENANT_ID.",
    ),
    (
        "AADSTS900382",
        "The authority belongs to another cloud: set AZURE_AUTHORITY_HOST to the one of the tenant's cloud.",
    ),
    (
        "AADSTS500011",
        "The tenant does not know the resource that the token is for: check the scope, and AZURE_AUTHORITY_HOST for a sovereign cloud.",
    ),
    (
        "AADSTS70011",
        "The scope is malformed: expected one resource and /.default, such as https://ai.azure.com/.default.",
    ),
    (
        "AADSTS53003",
        "Conditional Access blocks this sign-in: ask whoever administers the tenant.",
    ),
    (
        "AADSTS50076",
        "The sign-in needs a second factor: sign in again with az login --tenant <tenant>.",
    ),
    (
        "AADSTS50173",
        "The sign-in has been revoked or the password changed: sign in again with az login.",
    ),
    (
        "AADSTS700082",
        "The sign-in has expired: sign in again with az login.",
    ),
    (
        "AADSTS70043",
        "The sign-in has expired by Conditional Access: sign in again with az login.",
    ),
    (
        "Identity not found",
        "The host has no such managed identity: assign one, and set AZURE_CLIENT_ID to the client id of a user-assigned one.",
    ),
];

/// Returns the advice for the error number in a message. `None` for an unknown number.
///
/// ```
/// use copilot_keyless::request::identity::advice;
///
/// assert!(advice("AADSTS90002: Tenant 'x' not found.").is_some_and(|next| next.contains("AZURE_TENANT_ID")));
/// assert_eq!(advice("Something else"), None);
/// ```
pub fn advice(message: &str) -> Option<&'static str> {
    ADVICE
        .iter()
        .find(|(sign, _)| {
            message.match_indices(sign).any(|(at, _)| {
                // A longer number is another error.
                let next = message.as_bytes().get(at + sign.len());
                !next.is_some_and(u8::is_ascii_digit)
            })
        })
        .map(|(_, advice)| *advice)
}
