//! The developer tools that people sign in with, and their commands.

use super::text::contains;

/// A developer tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    AzureCli,
    AzureDeveloperCli,
    PowerShell,
    VisualStudioCode,
    VisualStudio,
    IntelliJ,
}

/// Words that name a tool, in lower case; the specific before the general.
const WORDS: [(Tool, &[&str]); 6] = [
    (
        Tool::AzureDeveloperCli,
        &[
            "azuredeveloperclicredential",
            "azure developer cli",
            "azd auth",
            "azd login",
            "azd: ",
            "'azd'",
        ],
    ),
    (
        Tool::PowerShell,
        &[
            "azurepowershellcredential",
            "connect-azaccount",
            "login-azaccount",
            "powershell",
            "az.accounts",
            "get-azaccesstoken",
        ],
    ),
    (
        Tool::AzureCli,
        &[
            "azureclicredential",
            "azure cli",
            "az login",
            "az account",
            "msal token cache",
            "az: ",
            "'az'",
            "clicredential",
        ],
    ),
    (
        Tool::VisualStudioCode,
        &[
            "visualstudiocodecredential",
            "visual studio code",
            "vs code",
            "vscode",
            "stored credentials not found",
        ],
    ),
    (Tool::VisualStudio, &["visualstudiocredential", "visual studio"]),
    (Tool::IntelliJ, &["intellij"]),
];

impl Tool {
    /// Returns the tool that a text in lower case names.
    pub(super) fn named_in(text: &str) -> Option<Self> {
        WORDS
            .iter()
            .find(|(_, words)| words.iter().any(|word| contains(text, word)))
            .map(|(tool, _)| *tool)
    }

    /// Returns the tool of a credential.
    pub(super) fn of(credential: &str) -> Option<Self> {
        match credential {
            "AzureCliCredential" => Some(Self::AzureCli),
            "AzureDeveloperCliCredential" => Some(Self::AzureDeveloperCli),
            "AzurePowerShellCredential" => Some(Self::PowerShell),
            "VisualStudioCodeCredential" => Some(Self::VisualStudioCode),
            "VisualStudioCredential" | "SharedTokenCacheCredential" => Some(Self::VisualStudio),
            "IntelliJCredential" => Some(Self::IntelliJ),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AzureCli => "the Azure CLI",
            Self::AzureDeveloperCli => "the Azure Developer CLI (azd)",
            Self::PowerShell => "Azure PowerShell",
            Self::VisualStudioCode => "Visual Studio Code",
            Self::VisualStudio => "Visual Studio",
            Self::IntelliJ => "IntelliJ",
        }
    }

    /// Returns how to sign in: a sentence, with the command on its own line if there is one.
    pub(super) fn sign_in(self, again: &str, tenant: Option<&str>) -> String {
        let with = |command: &str, option: &str| match tenant {
            Some(tenant) => format!("Sign in{again}:\n{command} {option} {tenant}"),
            None => format!("Sign in{again}:\n{command}"),
        };
        match self {
            Self::AzureCli => with("az login", "--tenant"),
            Self::AzureDeveloperCli => with("azd auth login", "--tenant-id"),
            Self::PowerShell => with("Connect-AzAccount", "-Tenant"),
            Self::VisualStudioCode => {
                format!(
                    "Sign in{again} in Visual Studio Code: run \"Azure: Sign In\" from the command \
                 palette."
                )
            }
            Self::VisualStudio => {
                format!("Sign in{again} in Visual Studio: Tools, Options, Azure Service Authentication.")
            }
            Self::IntelliJ => format!("Sign in{again} in the IDE: Tools, Azure, Azure Sign In."),
        }
    }

    /// Returns how to install the tool.
    pub(super) const fn install(self) -> &'static str {
        match self {
            Self::AzureCli => "Install the Azure CLI (https://aka.ms/azure-cli), then sign in:\naz login",
            Self::AzureDeveloperCli => {
                "Install azd (https://aka.ms/azd-install), then sign in:\nazd auth login"
            }
            Self::PowerShell => {
                "Install PowerShell 7 (https://aka.ms/powershell) and the module, then sign \
                 in:\nInstall-Module Az.Accounts -Scope CurrentUser\nConnect-AzAccount"
            }
            Self::VisualStudioCode => {
                "Install the Azure Resources extension and the library's package for Visual \
                 Studio Code, or use the Azure CLI:\naz login"
            }
            Self::VisualStudio | Self::IntelliJ => {
                "Use the Azure CLI instead (https://aka.ms/azure-cli):\naz login"
            }
        }
    }

    /// Returns a command that shows whether the tool works.
    pub(super) const fn check(self) -> &'static str {
        match self {
            Self::AzureDeveloperCli => "azd auth token --output json --scope https://ai.azure.com/.default",
            Self::PowerShell => "pwsh -Command \"Get-AzAccessToken -ResourceUrl https://ai.azure.com\"",
            _ => "az account get-access-token --resource https://ai.azure.com --query expiresOn",
        }
    }
}
