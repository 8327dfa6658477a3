//! Explains each code: the cause, and the fixes for this case.

mod application;
mod federated;
mod host;
mod managed;
mod sign_in;

use super::Finding;
use super::code::CredentialDiagnosisCode as Code;
use super::details::Details;
use super::tool::Tool;
use crate::Variables;
use crate::environment::Host;

/// The facts of a case. Errors and responses are not trusted: a cause may name their `details`, but
/// the commands of fixes contain ids of the environment only.
pub(super) struct Case<'a> {
    pub(super) code: Code,
    /// The text of the error on one line, in lower case.
    pub(super) text: &'a str,
    pub(super) numbers: &'a [u32],
    pub(super) details: &'a Details,
    /// The credentials that a chain tried, the closest first.
    pub(super) links: &'a [Finding],
    pub(super) tool: Option<Tool>,
    /// The client id of the environment.
    pub(super) client_id: Option<&'a str>,
    /// The tenant of the environment.
    pub(super) tenant: Option<&'a str>,
    /// Whether the environment selects a managed identity.
    pub(super) managed: bool,
    /// The host platform, by the environment.
    pub(super) host: Option<Host>,
    /// The environment. Of a variable with a secret, only its presence counts.
    pub(super) env: &'a Variables,
}

const MANAGED_INSTEAD: &str = "Better: use a managed identity or a federated credential, which have no secret \
                 that expires.";
const IN_AZURE: &str = "In Azure, assign a managed identity to the host and set \
                 AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.";
const ON_A_DEVELOPER_MACHINE: &str = "On a developer's machine, sign in and use the developer tools alone:\naz \
                 login\nexport AZURE_TOKEN_CREDENTIALS=dev";
const ASK_ADMINISTRATOR: &str = "Ask the tenant's administrator; the sign-in log of Microsoft Entra names the \
                 policy (the error's correlation id finds the entry).";

impl Case<'_> {
    fn has(&self, number: u32) -> bool {
        self.numbers.contains(&number)
    }

    fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// Returns the client id for a command.
    fn app(&self) -> &str {
        self.client_id.unwrap_or("<client-id>")
    }

    fn tenant(&self) -> &str {
        self.tenant.unwrap_or("<tenant-id>")
    }

    fn tool(&self) -> Tool {
        self.tool.unwrap_or(Tool::AzureCli)
    }

    /// Names the application, at the start of a sentence or within.
    fn application(&self) -> String {
        match (&self.details.application, self.client_id) {
            (Some(id), Some(own)) if !id.eq_ignore_ascii_case(own) => {
                format!("application {id} (AZURE_CLIENT_ID names another one)")
            }
            (Some(id), _) => format!("application {id}"),
            (None, _) => "the application".to_owned(),
        }
    }

    fn in_tenant(&self) -> String {
        match &self.details.tenant {
            Some(tenant) => format!("tenant {tenant}"),
            None => "the tenant".to_owned(),
        }
    }

    fn quoted(value: Option<&String>) -> String {
        value.map_or_else(String::new, |value| format!(" \"{value}\""))
    }

    fn sign_in_again(&self) -> String {
        self.tool().sign_in(" again", self.tenant)
    }

    /// Returns the command that adds a federated credential.
    fn add_federated_credential(&self) -> String {
        format!(
            "az ad app federated-credential create --id {} --parameters \
                 '{{\"name\":\"<name>\",\"issuer\":\"<issuer>\",\"subject\":\"<subject>\",\"audiences\":[\"api://AzureADTokenExchange\"]}}'",
            self.app()
        )
    }

    /// Returns a sentence about the issuer and subject that the response names, after a space. Empty
    /// if it names none.
    fn names_to_check(&self) -> String {
        let Details { issuer, subject, .. } = self.details;
        let (names, check) = match (issuer, subject) {
            (Some(issuer), Some(subject)) => (
                format!("issuer \"{issuer}\" and the subject \"{subject}\""),
                "they are yours before you add them",
            ),
            (Some(issuer), None) => (format!("issuer \"{issuer}\""), "it is yours before you add it"),
            (None, Some(subject)) => (format!("subject \"{subject}\""), "it is yours before you add it"),
            (None, None) => return String::new(),
        };
        format!(" The response names the {names}: make sure that {check}.")
    }

    fn list_federated_credentials(&self) -> String {
        format!(
            "az ad app federated-credential list --id {} --query \
                 \"[].{{name:name,issuer:issuer,subject:subject,audiences:audiences}}\"",
            self.app()
        )
    }
}

/// A cause, and its fixes, the likeliest first. Each command is on its own line.
type Explanation = (String, Vec<String>);

/// Returns the cause of a case, and its fixes.
pub(super) fn explain(case: &Case<'_>) -> Explanation {
    match case.code {
        Code::NotSignedIn => sign_in::not_signed_in(case),
        Code::SignInExpired => sign_in::sign_in_expired(case),
        Code::ToolNotInstalled => sign_in::tool_not_installed(case),
        Code::ToolTimeout => sign_in::tool_timeout(case),
        Code::ToolFailed => sign_in::tool_failed(case),
        Code::NoCredential => host::no_credential(case),
        Code::SecretExpired => application::secret_expired(case),
        Code::WrongSecret => application::wrong_secret(case),
        Code::CertificateNotRegistered => application::certificate_not_registered(case),
        Code::FederatedSubject => federated::federated_subject(case),
        Code::FederatedIssuer => federated::federated_issuer(case),
        Code::FederatedAudience => federated::federated_audience(case),
        Code::FederatedMismatch => federated::federated_mismatch(case),
        Code::FederatedNone => federated::federated_none(case),
        Code::AssertionExpired => federated::assertion_expired(case),
        Code::AssertionInvalid => federated::assertion_invalid(case),
        Code::AssertionMissing => federated::assertion_missing(case),
        Code::ImdsUnreachable | Code::NoManagedIdentity => managed::no_managed_identity(case),
        Code::IdentityNotAssigned => managed::identity_not_assigned(case),
        Code::SeveralIdentities => managed::several_identities(case),
        Code::WrongTenant => application::wrong_tenant(case),
        Code::ApplicationNotFound => application::application_not_found(case),
        Code::ApplicationDisabled => application::application_disabled(case),
        Code::NotAssignedToApplication => application::not_assigned_to_application(case),
        Code::ConsentMissing if case.has(65002) || case.says("preauthoriz") => {
            application::not_preauthorized(case)
        }
        Code::ConsentMissing => application::consent_missing(case),
        Code::ConditionalAccess => sign_in::conditional_access(case),
        Code::MfaRequired => sign_in::mfa_required(case),
        Code::ClaimsChallenge => sign_in::claims_challenge(case),
        Code::UserDisabled => sign_in::user_disabled(case),
        Code::UserNotFound => sign_in::user_not_found(case),
        Code::WrongPassword => sign_in::wrong_password(case),
        Code::PasswordExpired => sign_in::password_expired(case),
        Code::WrongScope => application::wrong_scope(case),
        Code::ResourceDisabled => application::resource_disabled(case),
        Code::WrongCloud => application::wrong_cloud(case),
        Code::Proxy => host::proxy(case),
        Code::Tls => host::tls(case),
        Code::Dns => host::dns(case),
        Code::Timeout => host::timeout(case),
        Code::Network => host::network(case),
        Code::Throttled => host::throttled(case),
        Code::ServerError => host::server_error(case),
        Code::ClockSkew => host::clock_skew(case),
        Code::Configuration => host::configuration(case),
        Code::LibraryFault => host::library_fault(case),
        Code::Unknown => host::unknown(case),
    }
}

/// Returns a text with a capital first letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}", first.to_ascii_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
