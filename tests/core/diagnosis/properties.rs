//! Invariants of every command in a diagnosis. The property test and the fuzz target share them.
//!
//! They do not depend on how commands are built: they split each command into words as a shell
//! does. Every word must be in a fixed list or be the user's own (the resource, the scope, the
//! object id of the token).

use std::collections::BTreeSet;

use copilot_keyless::diagnosis::Diagnosis;

/// Every allowed word, apart from the user's own.
const WORDS: &str = "
    az account list --all --query [].{subscription:name, tenant:tenantId} --output table
    az ad signed-in-user show --query id --output tsv
    az cognitiveservices account list --query [].properties.endpoint --output tsv
    az cognitiveservices account show --name <resource> --resource-group <group> --query properties.endpoint
    az cognitiveservices account update --custom-domain <unique-name>
    az cognitiveservices account deployment list --query [].name
    az cognitiveservices account network-rule add --ip-address <your-public-address>
    az cognitiveservices usage list --location <region>
    az login --tenant <tenant-of-the-resource>
    az resource update --ids <resource-id> --set properties.publicNetworkAccess=Enabled
    az role assignment create --assignee <object-id> --role --scope <resource-id>
    5e0bd9bd-7b93-4f28-af87-19fc36ad61bd a97b65f3-24c7-4388-baec-2e87135dc908 53ca6127-db72-4b80-b1b0-d745d6d5456d
    copilot-keyless config doctor token
    export FOUNDRY_TOKEN_SCOPE=api://<application-id>/.default FOUNDRY_TOKEN_SCOPE=<scope> NODE_EXTRA_CA_CERTS=<file>.pem NODE_OPTIONS=--use-system-ca SSL_CERT_FILE=<file>.pem
    AZURE_AUTHORITY_HOST=https://login.microsoftonline.us AZURE_AUTHORITY_HOST=https://login.chinacloudapi.cn
    unset AZURE_OPENAI_API_KEY OPENAI_API_KEY
";

pub(crate) const OBJECT_ID: &str = "6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44";

/// Splits a command into words as a shell does, including those of `$(...)`. Any other shell syntax
/// is a fault.
pub(crate) fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    let mut chars = command.chars().peekable();
    // Whether the text around a `$(` was quoted.
    let mut outer = Vec::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '$' if chars.peek() == Some(&'(') => {
                chars.next();
                outer.push(std::mem::replace(&mut quoted, false));
                words.push(String::new());
            }
            ')' if !quoted && !outer.is_empty() => {
                quoted = outer.pop().unwrap();
                words.push(String::new());
            }
            ' ' if !quoted => words.push(String::new()),
            // `<name>` is a placeholder.
            ';' | '&' | '|' | '`' | '$' | '\\' | '\'' | '(' | ')' | '#' | '*' | '?' | '~' | '!'
                if !quoted =>
            {
                return Err(format!("{c:?} in {command}"));
            }
            '`' | '$' | '\\' | '!' => return Err(format!("{c:?} in {command}")),
            c if c.is_control() || !c.is_ascii() => return Err(format!("{c:?} in {command}")),
            c => words.last_mut().unwrap().push(c),
        }
    }
    if quoted || !outer.is_empty() {
        return Err(format!("quotes do not close in {command}"));
    }
    Ok(words.into_iter().filter(|word| !word.is_empty()).collect())
}

/// The user's own words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Own {
    pub(crate) resource: Option<&'static str>,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) object_id: bool,
}

/// Returns the first fault in the commands of a diagnosis.
pub(crate) fn faults(diagnosis: &Diagnosis, own: &Own, planted: &str) -> Result<(), String> {
    for fix in &diagnosis.fixes {
        for command in fix.lines().skip(1) {
            check(command, own, planted)?;
        }
    }
    Ok(())
}

pub(crate) fn check(command: &str, own: &Own, planted: &str) -> Result<(), String> {
    let mut allowed: BTreeSet<String> = WORDS.split_ascii_whitespace().map(str::to_owned).collect();
    allowed.insert("[].{subscription:name, tenant:tenantId}".to_owned());
    if let Some(name) = own.resource {
        allowed.insert(name.to_owned());
        allowed.insert(format!("[?properties.customSubDomainName=='{name}'].id"));
    }
    for scope in own.scopes {
        allowed.insert(format!("FOUNDRY_TOKEN_SCOPE={scope}/.default"));
    }
    if own.object_id {
        allowed.insert(OBJECT_ID.to_owned());
    }
    for word in words(command)? {
        if !allowed.contains(&word) {
            return Err(format!("{word:?} in {command}"));
        }
    }
    // Nor any part of it, unless the user's own words contain it.
    let said: String = allowed.into_iter().collect::<Vec<_>>().join(" ");
    let letters: Vec<char> = planted.chars().collect();
    for window in letters.windows(8) {
        let part: String = window.iter().collect();
        if command.contains(&part) && !said.contains(&part) {
            return Err(format!("{part:?} in {command}"));
        }
    }
    Ok(())
}
