//! Splits the error of a credential chain into one link for each credential that was tried.

use super::text::head;

/// The longest part of a link to search, in bytes. Stack traces follow the message.
pub(super) const MAX_LINK: usize = 4_096;

/// The most links to report.
const MAX_LINKS: usize = 16;

/// Credentials, and how the messages of libraries begin that belong to them. In lower case.
const CREDENTIALS: [(&str, &[&str]); 21] = [
    (
        "EnvironmentCredential",
        &["environmentcredential", "environment credential"],
    ),
    (
        "WorkloadIdentityCredential",
        &["workloadidentitycredential", "workload identity credential"],
    ),
    (
        "ManagedIdentityCredential",
        &[
            "managedidentitycredential",
            "managed identity",
            "tried to get token using managed",
            "imdscredential",
            "attempted to use the imds",
            "imds - ",
            "no user assigned or delegated",
        ],
    ),
    (
        "SharedTokenCacheCredential",
        &[
            "sharedtokencachecredential",
            "shared token cache",
            "no accounts were found in the cache",
        ],
    ),
    (
        "VisualStudioCodeCredential",
        &[
            "visualstudiocodecredential",
            "visual studio code",
            "stored credentials not found",
            "failed to read vs code",
            "failed to get azure user details",
            "vscodecredential",
        ],
    ),
    (
        "VisualStudioCredential",
        &[
            "visualstudiocredential",
            "visual studio token provider",
            "process \"",
            "tried to get token using visual studio",
            "operating system",
            "visual studio",
        ],
    ),
    (
        "AzureDeveloperCliCredential",
        &[
            "azuredeveloperclicredential",
            "azure developer cli",
            "please run 'azd auth login'",
            "please run \"azd auth login\"",
            "azd ",
        ],
    ),
    (
        "AzureCliCredential",
        &[
            "azureclicredential",
            "azure cli",
            "tried to get token using azure cli",
            "please run 'az login'",
            "please run \"az login\"",
            "'az' is not recognized",
            "failed to invoke the azure cli",
            "error: please run 'az login'",
            "az-cli - ",
        ],
    ),
    (
        "AzurePowerShellCredential",
        &[
            "azurepowershellcredential",
            "azure powershell",
            "powershell",
            "az.account",
            "please run 'connect-azaccount'",
            "please run \"connect-azaccount\"",
            "unable to execute powershell",
            "unable to parse the output of powershell",
            "the 'az.account' module",
        ],
    ),
    ("IntelliJCredential", &["intellijcredential", "intellij"]),
    (
        "InteractiveBrowserCredential",
        &[
            "interactivebrowsercredential",
            "interactivebrowserbrokercredential",
            "brokercredential",
            "oidcbrokercredential",
            "azure-identity-broker",
        ],
    ),
    ("AzurePipelinesCredential", &["azurepipelinescredential"]),
    ("ClientSecretCredential", &["clientsecretcredential"]),
    (
        "ClientCertificateCredential",
        &["clientcertificatecredential", "certificatecredential"],
    ),
    ("ClientAssertionCredential", &["clientassertioncredential"]),
    ("OnBehalfOfCredential", &["onbehalfofcredential"]),
    ("UsernamePasswordCredential", &["usernamepasswordcredential"]),
    ("DeviceCodeCredential", &["devicecodecredential"]),
    ("AuthorizationCodeCredential", &["authorizationcodecredential"]),
    ("AzureApplicationCredential", &["azureapplicationcredential"]),
    ("DeveloperToolsCredential", &["developertoolscredential"]),
];

/// Stands for a credential that the error does not name.
const UNNAMED: &str = "unknown";

/// What follows a credential's name where it begins its own message.
const AFTER_NAME: [&str; 6] = [
    ": ",
    " authentication",
    " is unavailable",
    " unavailable",
    " failed",
    "\t",
];

/// How libraries mark an error of a chain.
const MARKS: [&str; 13] = [
    "- ",
    "* ",
    "(",
    "credentialunavailableerror: ",
    "credentialunavailable: ",
    "credentialunavailableexception: ",
    "azure.identity.credentialunavailableexception: ",
    "authenticationrequirederror: ",
    "authenticationerror: ",
    "error: ",
    "error getting token credential from ",
    "error getting ",
    "getting ",
];

/// Whether a text in lower case is the error of a chain.
pub(super) fn is_chain(text: &str) -> bool {
    [
        "chainedtokencredential",
        "defaultazurecredential",
        "azuredefaultcredential",
        "attempted credentials",
        "included credentials",
        "multiple errors were encountered",
        "failed to acquire a token for any",
        "developertoolscredential",
        "methods to get an access token",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

/// A part of the error, with the credential that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) credential: &'static str,
    pub(super) text: String,
}

/// Splits an error at the messages of credentials.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in lines(text) {
        let lower = line.trim_start_matches([' ', '>']).to_ascii_lowercase();
        let marked = MARKS.iter().find_map(|mark| lower.strip_prefix(mark));
        let message = marked.map_or(lower.as_str(), |rest| {
            MARKS
                .iter()
                .find_map(|mark| rest.strip_prefix(mark))
                .unwrap_or(rest)
        });
        let named = credential_at(message).or_else(|| {
            // An error of the chain whose text does not begin with its credential.
            let is_error = [
                "credentialunavailable",
                "authenticationrequired",
                "authenticationerror",
            ]
            .iter()
            .any(|name| lower.starts_with(name));
            let is_error = is_error && !message.trim().is_empty();
            is_error.then(|| credential_in(&lower).unwrap_or(UNNAMED))
        });
        match (named, parts.last_mut()) {
            (Some(credential), _) => parts.push(Part {
                credential,
                text: line,
            }),
            (None, Some(last)) => {
                if last.credential == UNNAMED {
                    // The link to its troubleshooting page may name it.
                    last.credential = credential_in(&lower).unwrap_or(UNNAMED);
                }
                last.text.push('\n');
                last.text.push_str(&line);
            }
            (None, None) => {}
        }
    }
    for part in &mut parts {
        part.text = head(&part.text, MAX_LINK).to_owned();
    }
    parts.truncate(MAX_LINKS);
    parts
}

/// Returns the lines of an error. Logs put a chain on one line: each message that begins with a
/// credential's name starts another.
fn lines(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut starts = vec![0];
    for (name, _) in CREDENTIALS {
        let name = name.to_ascii_lowercase();
        for (at, _) in lower.match_indices(&name) {
            let before = lower.get(..at).unwrap_or_default();
            let after = lower.get(at + name.len()..).unwrap_or_default();
            let inside = before.ends_with(|c: char| c.is_ascii_alphanumeric() || "./_\\'\"`".contains(c));
            let marked = before.ends_with("error: ") || before.ends_with("exception: ");
            // Python and Go say the name twice.
            let repeated = before.trim_end_matches([':', ' ']).ends_with(&name);
            if !inside && !marked && !repeated && AFTER_NAME.iter().any(|next| after.starts_with(next)) {
                starts.push(at);
            }
        }
    }
    for mark in [
        "credentialunavailableerror: ",
        "credentialunavailableexception: ",
        " - azure cli",
        " - powershell",
        " - azure developer cli",
        "tried to get token using",
        "(azure cli",
        "(azure developer cli",
        "(powershell",
        "(visual studio",
        "(stored credentials",
        "(operating system",
    ] {
        starts.extend(lower.match_indices(mark).map(|(at, _)| at));
    }
    starts.extend(lower.match_indices('\n').map(|(at, _)| at + 1));
    starts.push(text.len());
    starts.sort_unstable();
    starts.dedup();
    starts
        .windows(2)
        .filter_map(|bounds| match bounds {
            [start, end] => text.get(*start..*end),
            _ => None,
        })
        .map(|line| line.trim().trim_end_matches(['-', '*', ' ']).to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// Returns the credential whose message begins like this.
fn credential_at(message: &str) -> Option<&'static str> {
    CREDENTIALS
        .iter()
        .find(|(_, starts)| starts.iter().any(|start| message.starts_with(start)))
        .map(|(name, _)| *name)
}

/// Returns the first credential that a text in lower case names.
pub(super) fn credential_in(text: &str) -> Option<&'static str> {
    CREDENTIALS
        .iter()
        .filter_map(|(name, starts)| {
            let at = starts.iter().filter_map(|start| text.find(start)).min()?;
            Some((at, *name))
        })
        .min_by_key(|(at, _)| *at)
        .map(|(_, name)| name)
}
