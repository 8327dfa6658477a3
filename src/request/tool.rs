//! Describes the commands of developer tools that print a token.

use crate::environment::CredentialKind;
use crate::text::address::is_tenant;
use crate::text::is_made_of;
use crate::{Code, Error, Result};

/// How long a tool may take, in milliseconds. `az` takes a second, and longer where it refreshes its own
/// token.
pub const TOOL_TIMEOUT_MS: u32 = 30_000;

/// A command that prints a token response, as
/// [`parse_token_response`](crate::token::parse_token_response) reads it. No part needs quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolCall {
    /// The program, to be found on the `PATH`.
    pub program: &'static str,
    /// Its arguments.
    pub args: Vec<String>,
    /// The name of the credential of `@azure/identity` that runs the same command.
    pub credential: &'static str,
}

/// Describes the command for a token of one scope. `None` for a credential that is no developer tool.
///
/// Errors: `provider/scope` and `credential/configuration` for a scope or a tenant with characters
/// that a shell could read as more than text.
///
/// ```
/// use copilot_keyless::environment::CredentialKind;
/// use copilot_keyless::request::tool::tool_call;
///
/// let call = tool_call(CredentialKind::AzureCli, "https://ai.azure.com/.default", None)?.unwrap();
/// assert_eq!(call.program, "az");
/// assert_eq!(call.args.last().unwrap(), "https://ai.azure.com");
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn tool_call(kind: CredentialKind, scope: &str, tenant: Option<&str>) -> Result<Option<ToolCall>> {
    let scope = scope.trim();
    if scope.is_empty() || scope.starts_with('-') || !is_made_of(scope, b"-._~:/") {
        return Err(
            Error::new(Code::ProviderScope, "The token scope is no scope of Azure")
                .hint("For Foundry it is https://ai.azure.com/.default."),
        );
    }
    if tenant.is_some_and(|tenant| tenant.starts_with('-') || !is_tenant(tenant)) {
        return Err(Error::new(
            Code::CredentialConfiguration,
            "The tenant is neither a GUID nor a domain",
        )
        .hint("Find it with: az account show --query tenantId --output tsv"));
    }
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    let mut args: Vec<String>;
    let (program, credential) = match kind {
        CredentialKind::AzureCli => {
            args = ["account", "get-access-token", "--output", "json"]
                .map(String::from)
                .into();
            args.extend(
                tenant
                    .iter()
                    .flat_map(|tenant| ["--tenant".to_owned(), (*tenant).to_owned()]),
            );
            args.extend(["--resource".to_owned(), resource.to_owned()]);
            ("az", "AzureCliCredential")
        }
        CredentialKind::AzureDeveloperCli => {
            args = ["auth", "token", "--output", "json", "--no-prompt"]
                .map(String::from)
                .into();
            args.extend(
                tenant
                    .iter()
                    .flat_map(|tenant| ["--tenant-id".to_owned(), (*tenant).to_owned()]),
            );
            args.extend(["--scope".to_owned(), scope.to_owned()]);
            ("azd", "AzureDeveloperCliCredential")
        }
        CredentialKind::AzurePowerShell => {
            let tenant = tenant
                .map(|tenant| format!(" -TenantId {tenant}"))
                .unwrap_or_default();
            // Newer versions return a SecureString.
            let script = format!(
                "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; \
                 Import-Module Az.Accounts; $t = Get-AzAccessToken -ResourceUrl {resource}{tenant}; $k = $t.Token; \
                 if ($k -is [Security.SecureString]) {{ $k = [Net.NetworkCredential]::new('', $k).Password }}; \
                 @{{ token = $k; expiresOn = $t.ExpiresOn.ToUnixTimeSeconds() }} | ConvertTo-Json -Compress"
            );
            args = ["-NoProfile", "-NonInteractive", "-Command"]
                .map(String::from)
                .into();
            args.push(script);
            ("pwsh", "AzurePowerShellCredential")
        }
        _ => return Ok(None),
    };
    Ok(Some(ToolCall {
        program,
        args,
        credential,
    }))
}
