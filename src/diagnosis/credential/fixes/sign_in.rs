//! Explains failures of people who sign in, and of the tools that they use.

use super::{ASK_ADMINISTRATOR, Case, Explanation, IN_AZURE, capital};
use crate::diagnosis::credential::tool::Tool;

pub(super) fn not_signed_in(case: &Case<'_>) -> Explanation {
    let mut fixes = vec![case.tool().sign_in("", case.tenant)];
    if case.tool.is_none() {
        fixes.push("In Visual Studio Code, run \"Azure: Sign In\" from the command palette.".to_owned());
    }
    if case.says("subscription") {
        fixes.push(
            "If you are signed in, choose a subscription:\naz account set --subscription \
                 <subscription-id>"
                .to_owned(),
        );
    }
    fixes.push(IN_AZURE.to_owned());
    let place = case.tool.map_or("Azure", Tool::name);
    (
        format!("Nobody is signed in to {place}, at least not the user who runs this program."),
        fixes,
    )
}

pub(super) fn sign_in_expired(case: &Case<'_>) -> Explanation {
    let why = if case.has(700_082) || case.says("inactiv") {
        "it was not used for too long (90 days)"
    } else if case.has(70043) || case.says("sign-in frequency") {
        "a Conditional Access policy limits how long it lasts"
    } else if case.has(50173) || case.has(50132) || case.has(50133) || case.says("revoked") {
        "the password changed, or the sessions were revoked"
    } else {
        "its refresh token has expired or was revoked"
    };
    (
        format!(
            "The user's sign-in{} is no longer valid: {why}.",
            case.tool
                .map_or_else(String::new, |tool| format!(" to {}", tool.name()))
        ),
        vec![
            case.sign_in_again(),
            "If it lasts, remove the cached sign-in first:\naz logout\naz account clear".to_owned(),
            "A program that runs without a person needs a managed identity or a service \
                 principal instead of a user's sign-in."
                .to_owned(),
        ],
    )
}

pub(super) fn tool_not_installed(case: &Case<'_>) -> Explanation {
    let tool = case.tool();
    (
        format!(
            "The credential needs {}, which is not installed or not on the PATH of this \
                 process.",
            tool.name()
        ),
        vec![
            tool.install().to_owned(),
            "If it is installed, restart the terminal, editor or service that starts this \
                 program, so that it gets the new PATH."
                .to_owned(),
            IN_AZURE.to_owned(),
        ],
    )
}

pub(super) fn tool_timeout(case: &Case<'_>) -> Explanation {
    let tool = case.tool();
    (
        format!(
            "{} did not return a token in time; its first call after a start or an update is \
                 slow.",
            capital(tool.name())
        ),
        vec![
            format!("Try again, and see how long it takes by hand:\n{}", tool.check()),
            "Give it more time: processTimeoutInMs (JavaScript), process_timeout (Python), \
                 ProcessTimeout (.NET)."
                .to_owned(),
            IN_AZURE.to_owned(),
        ],
    )
}

pub(super) fn tool_failed(case: &Case<'_>) -> Explanation {
    let tool = case.tool();
    let why = if [
        "persistencedecryption",
        "decryption failed: [winerror",
        "permission denied",
        "read-only",
    ]
    .iter()
    .any(|words| case.says(words))
    {
        "cannot use its token cache: the folder .azure is another user's or cannot be written. Make it yours, \
         or set AZURE_CONFIG_DIR; if it cannot be decrypted, delete msal_token_cache.* there, and sign in again"
    } else {
        "ran, but its output is no token: usually a warning stands in front of it, or the tool itself failed"
    };
    (
        format!("{} {why}.", capital(tool.name())),
        vec![
            format!("Look at its output:\n{}", tool.check()),
            if tool == Tool::PowerShell {
                "Update the Azure Identity library, or turn the warning off:\nUpdate-AzConfig \
                 -DisplayBreakingChangeWarning $false"
                    .to_owned()
            } else {
                "Update the tool and the Azure Identity library.".to_owned()
            },
            case.sign_in_again(),
        ],
    )
}

pub(super) fn conditional_access(case: &Case<'_>) -> Explanation {
    (
        "A Conditional Access policy or another rule of the tenant blocks this sign-in: \
                 it demands a certain device, place, application or risk level."
            .to_owned(),
        vec![
            ASK_ADMINISTRATOR.to_owned(),
            format!(
                "From a device and network that the policy allows, sign in again (device codes are often \
                 blocked):\n{}",
                case.sign_in_again()
                    .split_once('\n')
                    .map_or("az login", |(_, command)| command)
            ),
            "A program that runs without a person should use a managed identity or a service \
                 principal."
                .to_owned(),
        ],
    )
}

pub(super) fn mfa_required(case: &Case<'_>) -> Explanation {
    let tool = case.tool();
    (
        "The sign-in needs multi-factor authentication, which a cached sign-in or a \
                 password alone cannot give (a Conditional Access policy or the tenant demands \
                 it)."
            .to_owned(),
        vec![
            match (tool, case.tenant) {
                (Tool::AzureCli, Some(tenant)) => format!(
                    "Sign in again with the second factor:\naz login --tenant {tenant} --scope \
                 https://ai.azure.com/.default"
                ),
                (Tool::AzureCli, None) => {
                    "Sign in again with the second factor:\naz login --tenant <tenant-id> --scope \
                 https://ai.azure.com/.default"
                        .to_owned()
                }
                _ => case.sign_in_again(),
            },
            "A program that runs without a person should use a managed identity or a service \
                 principal, not a user's password."
                .to_owned(),
        ],
    )
}

pub(super) fn claims_challenge(case: &Case<'_>) -> Explanation {
    (
        "The resource or a Conditional Access policy demands claims that the cached \
                 sign-in lacks (a claims challenge): after a revocation, a changed password or \
                 location, or for a second factor."
            .to_owned(),
        vec![
            format!(
                "Sign in again; pass the claims if the error shows them (az login \
                 --claims-challenge <claims>):\n{}",
                case.sign_in_again()
                    .split_once('\n')
                    .map_or("az login", |(_, command)| command)
            ),
            "In code, pass the claims to getToken of a credential that accepts them; those of \
                 developer tools do not."
                .to_owned(),
            ASK_ADMINISTRATOR.to_owned(),
        ],
    )
}

pub(super) fn user_disabled(_: &Case<'_>) -> Explanation {
    (
        "The user account is disabled, locked or blocked.".to_owned(),
        vec![
            "Ask the tenant's administrator to unblock the user, or sign in as another \
                 one:\naz logout\naz login"
                .to_owned(),
            "After too many failed attempts, wait before you try again.".to_owned(),
        ],
    )
}

pub(super) fn user_not_found(case: &Case<'_>) -> Explanation {
    (
        format!(
            "The user account is not in {}: the name is misspelled, the tenant is another, or \
                 the account was deleted or is a guest that was not invited.",
            case.in_tenant()
        ),
        vec![
            format!(
                "Sign in with an account of this tenant, or have the account invited as a \
                 guest:\naz login --tenant {}",
                case.tenant()
            ),
            "Check AZURE_USERNAME and AZURE_TENANT_ID.".to_owned(),
        ],
    )
}

pub(super) fn wrong_password(_: &Case<'_>) -> Explanation {
    (
        "The user name or password is wrong.".to_owned(),
        vec![
            "Check AZURE_USERNAME and AZURE_PASSWORD; a federated account or one with a \
                 second factor cannot sign in with a password."
                .to_owned(),
            "Sign in interactively, or use a service principal or managed identity \
                 instead:\naz login"
                .to_owned(),
        ],
    )
}

pub(super) fn password_expired(_: &Case<'_>) -> Explanation {
    (
        "The user's password has expired or must be changed.".to_owned(),
        vec!["Change it at https://mysignins.microsoft.com, then sign in again:\naz login".to_owned()],
    )
}
