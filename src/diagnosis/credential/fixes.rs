//! Explains each code: the cause, and the fixes for this case.

use super::code::CredentialDiagnosisCode as Code;
use super::details::Details;
use super::tool::Tool;

/// The facts of a case that a cause and its fixes may name.
pub(super) struct Case<'a> {
    pub(super) code: Code,
    /// The text of the error on one line, in lower case.
    pub(super) text: &'a str,
    pub(super) numbers: &'a [u32],
    pub(super) details: &'a Details,
    pub(super) tool: Option<Tool>,
    /// The client id of the environment or the error.
    pub(super) client_id: Option<&'a str>,
    /// The tenant of the environment or the error.
    pub(super) tenant: Option<&'a str>,
    /// Whether `AZURE_CLIENT_ID` is set.
    pub(super) client_id_set: bool,
    /// Whether the environment selects a managed identity.
    pub(super) managed: bool,
}

const MANAGED_INSTEAD: &str =
    "Better: use a managed identity or a federated credential, which have no secret that expires.";
const IN_AZURE: &str = "In Azure, assign a managed identity to the host and set AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.";
const ON_A_DEVELOPER_MACHINE: &str = "On a developer's machine, sign in and use the developer tools alone:\naz login\nexport AZURE_TOKEN_CREDENTIALS=dev";
const ASK_ADMINISTRATOR: &str = "Ask the tenant's administrator; the sign-in log of Microsoft Entra names the policy (the error's correlation id finds the entry).";

impl Case<'_> {
    fn has(&self, number: u32) -> bool {
        self.numbers.contains(&number)
    }

    fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// Returns the client id for a command.
    fn app(&self) -> &str {
        self.details
            .application
            .as_deref()
            .or(self.client_id)
            .unwrap_or("<client-id>")
    }

    fn tenant(&self) -> &str {
        self.tenant.unwrap_or("<tenant-id>")
    }

    fn tool(&self) -> Tool {
        self.tool.unwrap_or(Tool::AzureCli)
    }

    /// Names the application, at the start of a sentence or within.
    fn application(&self) -> String {
        match &self.details.application {
            Some(id) => format!("application {id}"),
            None => "the application".to_owned(),
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
        let Details { subject, issuer, .. } = self.details;
        let issuer = issuer.as_deref().unwrap_or(match subject.as_deref() {
            Some(subject) if subject.starts_with("repo:") => "https://token.actions.githubusercontent.com",
            _ => "<issuer>",
        });
        format!(
            "az ad app federated-credential create --id {} --parameters '{{\"name\":\"<name>\",\"issuer\":\"{issuer}\",\"subject\":\"{}\",\"audiences\":[\"api://AzureADTokenExchange\"]}}'",
            self.app(),
            subject.as_deref().unwrap_or("<subject>"),
        )
    }

    fn list_federated_credentials(&self) -> String {
        format!(
            "az ad app federated-credential list --id {} --query \"[].{{name:name,issuer:issuer,subject:subject,audiences:audiences}}\"",
            self.app()
        )
    }
}

/// Returns the cause of a case, and its fixes, the likeliest first.
#[allow(clippy::too_many_lines, reason = "one arm for each code")]
pub(super) fn explain(case: &Case<'_>) -> (String, Vec<String>) {
    let Case { details, .. } = case;
    let tool = case.tool();
    match case.code {
        Code::NotSignedIn => {
            let mut fixes = vec![tool.sign_in("", case.tenant)];
            if case.says("subscription") {
                fixes.push("If you are signed in, choose a subscription:\naz account set --subscription <subscription-id>".to_owned());
            }
            fixes.push(IN_AZURE.to_owned());
            (format!("Nobody is signed in to {} for the user who runs this program.", tool.name()), fixes)
        }
        Code::SignInExpired => {
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
                format!("The user's sign-in to {} is no longer valid: {why}.", tool.name()),
                vec![
                    case.sign_in_again(),
                    "If it lasts, remove the cached sign-in first:\naz logout\naz account clear".to_owned(),
                    "A program that runs without a person needs a managed identity or a service principal instead of a user's sign-in.".to_owned(),
                ],
            )
        }
        Code::ToolNotInstalled => (
            format!("The credential needs {}, which is not installed or not on the PATH of this process.", tool.name()),
            vec![
                tool.install().to_owned(),
                "If it is installed, restart the terminal, editor or service that starts this program, so that it gets the new PATH.".to_owned(),
                IN_AZURE.to_owned(),
            ],
        ),
        Code::ToolTimeout => (
            format!("{} did not return a token in time; its first call after a start or an update is slow.", capital(tool.name())),
            vec![
                format!("Try again, and see how long it takes by hand:\n{}", tool.check()),
                "Give it more time: processTimeoutInMs (JavaScript), process_timeout (Python), ProcessTimeout (.NET).".to_owned(),
                IN_AZURE.to_owned(),
            ],
        ),
        Code::ToolFailed => (
            format!("{} ran, but its output is no token: usually a warning stands in front of it, or the tool itself failed.", capital(tool.name())),
            vec![
                format!("Look at its output:\n{}", tool.check()),
                if tool == Tool::PowerShell {
                    "Update the Azure Identity library, or turn the warning off:\nUpdate-AzConfig -DisplayBreakingChangeWarning $false".to_owned()
                } else {
                    "Update the tool and the Azure Identity library.".to_owned()
                },
                case.sign_in_again(),
            ],
        ),
        Code::NoCredential => (
            "None of the credentials that were tried is set up here: no variables of a service principal, no managed identity, and nobody is signed in to a developer tool.".to_owned(),
            vec![
                ON_A_DEVELOPER_MACHINE.to_owned(),
                "In Azure (App Service, Functions, Container Apps, VM, AKS), assign a managed identity to the host; for a user-assigned one also set AZURE_CLIENT_ID.".to_owned(),
                "Elsewhere, give a service principal: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.".to_owned(),
            ],
        ),
        Code::SecretExpired => (
            format!("The client secret (or certificate) of {} has expired.", case.application()),
            vec![
                format!("Create a new secret, and put its value into AZURE_CLIENT_SECRET:\naz ad app credential reset --id {} --append", case.app()),
                MANAGED_INSTEAD.to_owned(),
            ],
        ),
        Code::WrongSecret => (
            format!(
                "The client secret is not one of {}: often the secret's id was given instead of its value, or the secret of another application, or one that was replaced.",
                case.application()
            ),
            vec![
                "AZURE_CLIENT_SECRET must hold the secret's value, not its id; the portal shows the value only once. Check AZURE_CLIENT_ID as well.".to_owned(),
                format!("If the value is lost, create a new secret:\naz ad app credential reset --id {} --append", case.app()),
                MANAGED_INSTEAD.to_owned(),
            ],
        ),
        Code::CertificateNotRegistered => (
            format!("The certificate that signed the request is not registered on {}, or was replaced there: the signature of the client assertion cannot be checked.", case.application()),
            vec![
                format!("Register the certificate's public part on the application:\naz ad app credential reset --id {} --cert @<certificate>.pem --append", case.app()),
                format!("Compare the thumbprints with the registered ones:\naz ad app credential list --id {} --cert", case.app()),
                "For subject name and issuer authentication (SNI), send the certificate chain (sendCertificateChain).".to_owned(),
            ],
        ),
        Code::FederatedSubject => {
            let case_differs = case.has(7_002_138) || case.says("case-sensitive");
            let cause = format!(
                "No federated credential of {} has the subject{} of the token{}.",
                case.application(),
                Case::quoted(details.subject.as_ref()),
                if case_differs { ": the registered one differs in upper and lower case, which counts" } else { "" }
            );
            (cause, vec![
                format!("Compare with the registered subjects, letter by letter:\n{}", case.list_federated_credentials()),
                format!("Add a federated credential with exactly this subject (for a user-assigned identity: az identity federated-credential create):\n{}", case.add_federated_credential()),
                "GitHub's subject depends on the branch, tag, pull request or environment of the job; that of Kubernetes on namespace and service account.".to_owned(),
            ])
        }
        Code::FederatedIssuer => (
            format!("No federated credential of {} has the issuer{} of the token.", case.application(), Case::quoted(details.issuer.as_ref())),
            vec![
                format!("Compare with the registered issuers, including a trailing slash:\n{}", case.list_federated_credentials()),
                "On AKS the issuer is that of this cluster:\naz aks show --name <cluster> --resource-group <group> --query oidcIssuerProfile.issuerUrl --output tsv".to_owned(),
                format!("Add a federated credential with this issuer:\n{}", case.add_federated_credential()),
            ],
        ),
        Code::FederatedAudience => (
            format!("No federated credential of {} has the audience{} of the token.", case.application(), Case::quoted(details.audience.as_ref())),
            vec![
                "Request the token for the audience api://AzureADTokenExchange (Azure's other clouds have their own), or register the token's audience.".to_owned(),
                format!("Compare with the registered audiences:\n{}", case.list_federated_credentials()),
            ],
        ),
        Code::FederatedMismatch => (
            format!(
                "No federated credential of {} matches the token: its issuer{}, subject{} or audience{} is another.",
                case.application(), Case::quoted(details.issuer.as_ref()), Case::quoted(details.subject.as_ref()), Case::quoted(details.audience.as_ref())
            ),
            vec![
                format!("Compare issuer, subject and audience with the token's, letter by letter:\n{}", case.list_federated_credentials()),
                format!("Add a federated credential that matches:\n{}", case.add_federated_credential()),
                "A federated credential that was just created works after a few minutes: try again.".to_owned(),
            ],
        ),
        Code::FederatedNone => (
            format!("{} has no federated credential, so it accepts no federated token.", capital(&case.application())),
            vec![
                format!("Add one for this issuer and subject (for a user-assigned identity: az identity federated-credential create):\n{}", case.add_federated_credential()),
                "Check AZURE_CLIENT_ID: it must be the application or identity that has the federated credential.".to_owned(),
            ],
        ),
        Code::AssertionExpired => (
            "The federated token or client assertion has expired, or is not valid yet: it was requested too long ago, its file is not renewed, or the clock of this machine is wrong.".to_owned(),
            vec![
                "Request a new token for each sign-in: in a long job of a pipeline sign in again before the step that failed; read AZURE_FEDERATED_TOKEN_FILE each time.".to_owned(),
                "Check the clock and the time zone of the machine that makes the assertion (its times are UTC):\ndate -u".to_owned(),
                "Update the library if it caches assertions.".to_owned(),
            ],
        ),
        Code::AssertionInvalid => (
            "Entra cannot validate the federated token or client assertion: it is malformed, its signature does not fit, or it is not meant for this exchange.".to_owned(),
            vec![
                "Pass the token of the identity provider as it is: no quotes, no line break, no access token of Entra in its place.".to_owned(),
                "Check that the issuer publishes its keys: its address with /.well-known/openid-configuration must be reachable from the internet.".to_owned(),
            ],
        ),
        Code::AssertionMissing => {
            let mut fixes = Vec::new();
            if case.says("oidcrequesturi") || case.says("azurepipelines") {
                fixes.push("In Azure Pipelines, run the step in a task with a service connection (AzureCLI@2), and pass System.AccessToken and the connection's id.".to_owned());
            } else if case.says("id-token") || case.says("actions_id_token") || case.says("github") || case.says("oidc") {
                fixes.push("In GitHub Actions, give the job the permission to request the token:\npermissions:\n  id-token: write\n  contents: read".to_owned());
            }
            fixes.push("On Kubernetes, give the pod the label azure.workload.identity/use: \"true\" and a service account with the annotation azure.workload.identity/client-id, then restart it: the webhook mounts the token and sets AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID and AZURE_TENANT_ID.".to_owned());
            fixes.push("Elsewhere, set AZURE_FEDERATED_TOKEN_FILE to the path of a file with the token.".to_owned());
            ("The federated token is missing: the variable or file that should hold it is not there, or cannot be read.".to_owned(), fixes)
        }
        Code::ImdsUnreachable | Code::NoManagedIdentity => {
            let mut fixes = vec![
                if case.says("docker") || case.says("socket operation") || case.says("container") {
                    "Outside Azure, and in a container on a developer's machine, there is no managed identity: sign in, and use the developer tools or a service principal there:\naz login\nexport AZURE_TOKEN_CREDENTIALS=dev".to_owned()
                } else {
                    "Outside Azure there is no managed identity: sign in, and use the developer tools alone:\naz login\nexport AZURE_TOKEN_CREDENTIALS=dev".to_owned()
                },
                "In Azure, enable a system-assigned or assign a user-assigned identity, and restart the app:\naz webapp identity assign --name <app> --resource-group <group>\naz vm identity assign --name <vm> --resource-group <group>".to_owned(),
            ];
            if case.code == Code::ImdsUnreachable {
                fixes.push("On a VM or an AKS node, let requests to 169.254.169.254 pass: no proxy (NO_PROXY=169.254.169.254), no firewall rule or network policy.".to_owned());
            } else {
                fixes.push("On AKS, use workload identity: label the pod azure.workload.identity/use: \"true\".".to_owned());
            }
            let cause = if case.code == Code::ImdsUnreachable {
                "No managed identity is available here: the metadata endpoint (IMDS, 169.254.169.254) cannot be reached. It exists only on Azure's virtual machines and AKS nodes."
            } else {
                "This host offers no managed identity: it does not run in Azure, or none is enabled."
            };
            (cause.to_owned(), fixes)
        }
        Code::IdentityNotAssigned => {
            let which = case.client_id.filter(|_| case.client_id_set || case.details.application.is_some());
            let cause = match which {
                Some(id) => format!("The managed identity {id} is not assigned to this host, or the host has only a system-assigned identity."),
                None => "No managed identity that fits the request is assigned to this host: none is assigned at all, or the requested client id is not among them.".to_owned(),
            };
            (cause, vec![
                "Assign the user-assigned identity to the host, and set AZURE_CLIENT_ID to its client id (not its object id):\naz webapp identity assign --name <app> --resource-group <group> --identities <identity-resource-id>\naz vm identity assign --name <vm> --resource-group <group> --identities <identity-resource-id>".to_owned(),
                "To use the system-assigned identity instead, remove AZURE_CLIENT_ID and enable it:\naz webapp identity assign --name <app> --resource-group <group>".to_owned(),
                "If several identities are assigned, name the one to use with AZURE_CLIENT_ID or the clientId option.".to_owned(),
            ])
        }
        Code::SeveralIdentities => (
            "Several user-assigned identities are assigned to this host, and the request does not say which one to use.".to_owned(),
            vec![
                format!("Set AZURE_CLIENT_ID to the client id of the one to use, or pass it as clientId (client_id, managed_identity_client_id):\nexport AZURE_CLIENT_ID={}", case.client_id.unwrap_or("<client-id>")),
                "List them:\naz vm identity show --name <vm> --resource-group <group>\naz webapp identity show --name <app> --resource-group <group>".to_owned(),
            ],
        ),
        Code::WrongTenant => (
            if case.has(50020) || case.has(90072) || case.has(500_200) || case.says("user account") || case.says("personal") {
                format!("The user's account does not belong to {}: the sign-in uses another account or another tenant than the resource.", case.in_tenant())
            } else {
                format!("The tenant is wrong, missing, or not allowed for this credential: {} is not the one of the application and the resource, or is not in this cloud.", case.in_tenant())
            },
            vec![
                format!("Check AZURE_TENANT_ID: it must be the tenant of the resource and of the identity. Sign in to it:\n{}", Tool::AzureCli.sign_in("", Some(case.tenant())).split_once('\n').map_or("az login", |(_, command)| command)),
                "Find the tenant of a subscription:\naz account show --query tenantId --output tsv".to_owned(),
                "If the credential should serve several tenants, list them in additionallyAllowedTenants. For a sovereign cloud set AZURE_AUTHORITY_HOST.".to_owned(),
            ],
        ),
        Code::ApplicationNotFound => (
            format!("{} is not in {}: the client id is wrong or a placeholder, the application was deleted, or it belongs to another tenant.", capital(&case.application()), case.in_tenant()),
            vec![
                format!("Check AZURE_CLIENT_ID (a GUID) and AZURE_TENANT_ID; this shows whether the application is there:\naz ad sp show --id {}", case.app()),
                format!("If the application is registered in another tenant, add it to this one:\naz ad sp create --id {}", case.app()),
            ],
        ),
        Code::ApplicationDisabled => (
            format!("{} is disabled in {}.", capital(&case.application()), case.in_tenant()),
            vec![format!("Ask the tenant's administrator to enable it again:\naz ad sp update --id {} --set accountEnabled=true", case.app())],
        ),
        Code::NotAssignedToApplication => (
            format!("The user or application is not assigned to {}, which admits assigned principals only.", case.application()),
            vec!["Ask an administrator to assign it: Microsoft Entra, Enterprise applications, Users and groups.".to_owned(),
                 "Check that you signed in with the right account:\naz account show".to_owned()],
        ),
        Code::ConsentMissing if case.has(65002) || case.says("preauthoriz") => (
            "The tool that signs in is an application of Microsoft that is not authorized for this resource, and nobody can consent to that.".to_owned(),
            vec![
                format!("Use another credential for this resource, such as the Azure CLI:\n{}", if let Some(tenant) = case.tenant { format!("az login --tenant {tenant}") } else { "az login".to_owned() }),
                "Or register an application of your own and use its client id.".to_owned(),
            ],
        ),
        Code::ConsentMissing => (
            format!("Nobody has consented to {} for this resource in {}.", case.application(), case.in_tenant()),
            vec![
                format!("Let an administrator consent:\naz ad app permission admin-consent --id {}", case.app()),
                "Check that the application lists the permission, and that the scope names the right resource.".to_owned(),
            ],
        ),
        Code::ConditionalAccess => (
            "A Conditional Access policy or another rule of the tenant blocks this sign-in: it demands a certain device, place, application or risk level.".to_owned(),
            vec![
                ASK_ADMINISTRATOR.to_owned(),
                format!("{}\nUse a device and network that the policy allows; device codes are often blocked.", case.sign_in_again()),
                "A program that runs without a person should use a managed identity or a service principal.".to_owned(),
            ],
        ),
        Code::MfaRequired => (
            "The sign-in needs multi-factor authentication, which a cached sign-in or a password alone cannot give (a Conditional Access policy or the tenant demands it).".to_owned(),
            vec![
                match (tool, case.tenant) {
                    (Tool::AzureCli, Some(tenant)) => format!("Sign in again with the second factor:\naz login --tenant {tenant} --scope https://ai.azure.com/.default"),
                    (Tool::AzureCli, None) => "Sign in again with the second factor:\naz login --tenant <tenant-id> --scope https://ai.azure.com/.default".to_owned(),
                    _ => case.sign_in_again(),
                },
                "A program that runs without a person should use a managed identity or a service principal, not a user's password.".to_owned(),
            ],
        ),
        Code::ClaimsChallenge => (
            "The resource or a Conditional Access policy demands claims that the cached sign-in lacks (a claims challenge): after a revocation, a changed password or location, or for a second factor.".to_owned(),
            vec![
                format!("Sign in again; pass the claims if the error shows them (az login --claims-challenge <claims>):\n{}", case.sign_in_again().split_once('\n').map_or("az login", |(_, command)| command)),
                "In code, pass the claims to getToken of a credential that accepts them; those of developer tools do not.".to_owned(),
                ASK_ADMINISTRATOR.to_owned(),
            ],
        ),
        Code::UserDisabled => (
            "The user account is disabled, locked or blocked.".to_owned(),
            vec!["Ask the tenant's administrator to unblock the user, or sign in as another one:\naz logout\naz login".to_owned(), "After too many failed attempts, wait before you try again.".to_owned()],
        ),
        Code::UserNotFound => (
            format!("The user account is not in {}: the name is misspelled, the tenant is another, or the account was deleted or is a guest that was not invited.", case.in_tenant()),
            vec![
                format!("Sign in with an account of this tenant, or have the account invited as a guest:\naz login --tenant {}", case.tenant()),
                "Check AZURE_USERNAME and AZURE_TENANT_ID.".to_owned(),
            ],
        ),
        Code::WrongPassword => (
            "The user name or password is wrong.".to_owned(),
            vec!["Check AZURE_USERNAME and AZURE_PASSWORD; a federated account or one with a second factor cannot sign in with a password.".to_owned(), "Sign in interactively, or use a service principal or managed identity instead:\naz login".to_owned()],
        ),
        Code::PasswordExpired => (
            "The user's password has expired or must be changed.".to_owned(),
            vec!["Change it at https://mysignins.microsoft.com, then sign in again:\naz login".to_owned()],
        ),
        Code::WrongScope => {
            let named = Case::quoted(details.resource.as_ref());
            if case.says("supported msi token audience") || case.says("audiencenotsupported") {
                (
                    format!("The token service of Cloud Shell has no tokens for the audience{named}: it serves a fixed list of resources."),
                    vec!["Sign in inside Cloud Shell, so that your own sign-in is used instead:\naz login".to_owned()],
                )
            } else {
                (
                    format!("The resource or scope of the requested token{named} is wrong, or the tenant does not have it."),
                    vec![
                        "Ask for one resource with /.default: https://ai.azure.com/.default, or https://cognitiveservices.azure.com/.default (for a managed identity endpoint, the resource without /.default).".to_owned(),
                        format!("If the resource is right, check the tenant ({}) and, for a sovereign cloud, AZURE_AUTHORITY_HOST.", case.tenant()),
                        "For an API of your own, give the application its permission, and have an administrator consent.".to_owned(),
                    ],
                )
            }
        }
        Code::WrongCloud => (
            "The authority (login host) belongs to another cloud than the tenant or the resource.".to_owned(),
            vec![
                "Set the authority of the tenant's cloud: login.microsoftonline.com (public), login.microsoftonline.us (US government), login.chinacloudapi.cn (China):\nexport AZURE_AUTHORITY_HOST=https://login.microsoftonline.us".to_owned(),
                "For the Azure CLI choose the cloud, then sign in again:\naz cloud set --name AzureUSGovernment\naz login".to_owned(),
            ],
        ),
        Code::Proxy => (
            "A proxy or gateway answered in place of the identity endpoint, or the connection through it failed.".to_owned(),
            vec![
                "Check HTTPS_PROXY and its credentials; let login.microsoftonline.com pass, with CONNECT and without a sign-in page.".to_owned(),
                "Leave the proxy out for local identity endpoints, and for Entra if the network allows it:\nexport NO_PROXY=169.254.169.254,localhost,login.microsoftonline.com".to_owned(),
            ],
        ),
        Code::Tls => (
            "The TLS connection to the identity endpoint failed: usually a proxy of the organisation inspects TLS, and its root certificate is not trusted here.".to_owned(),
            vec![
                "Trust the organisation's root certificate: NODE_EXTRA_CA_CERTS (Node), REQUESTS_CA_BUNDLE or SSL_CERT_FILE (Python, Azure CLI), the system's or Java's store elsewhere:\nexport NODE_EXTRA_CA_CERTS=<file>.pem\nexport REQUESTS_CA_BUNDLE=<file>.pem".to_owned(),
                "Or have login.microsoftonline.com excluded from the inspection by the proxy. Do not turn verification off.".to_owned(),
                "Check the clock of this machine, by which certificates may seem expired.".to_owned(),
            ],
        ),
        Code::Dns => (
            "The host name of the identity endpoint cannot be resolved (DNS).".to_owned(),
            vec![
                "Check the network, the DNS server and the spelling of AZURE_AUTHORITY_HOST:\nnslookup login.microsoftonline.com".to_owned(),
                "If the network reaches the internet through a proxy only, set HTTPS_PROXY.".to_owned(),
                "In a container or cluster, check its DNS settings and egress rules.".to_owned(),
            ],
        ),
        Code::Timeout => (
            "The identity endpoint did not answer in time.".to_owned(),
            vec![
                "Try again. If it lasts, look for a firewall that drops packets to login.microsoftonline.com, and for a proxy (HTTPS_PROXY) that must be used.".to_owned(),
                "Outside Azure there is no managed identity to wait for: set AZURE_TOKEN_CREDENTIALS=dev and run az login.".to_owned(),
            ],
        ),
        Code::Network => (
            "The identity endpoint cannot be reached: the connection was refused or lost.".to_owned(),
            vec![
                "Check the network, firewall and proxy (HTTPS_PROXY) between this machine and login.microsoftonline.com.".to_owned(),
                if case.managed {
                    "In Azure, check that a managed identity is assigned, and restart the app.".to_owned()
                } else {
                    "In Azure, check that a managed identity is assigned. Elsewhere use the developer tools:\naz login\nexport AZURE_TOKEN_CREDENTIALS=dev".to_owned()
                },
            ],
        ),
        Code::Throttled => (
            "The identity endpoint throttles requests: too many in a short time.".to_owned(),
            vec![
                "Wait as long as Retry-After says, then try again.".to_owned(),
                "Share one credential and one token provider in the process, so that tokens are cached; do not create a credential for each request.".to_owned(),
            ],
        ),
        Code::ServerError => (
            "The identity endpoint failed; this is usually temporary.".to_owned(),
            vec!["Try again later. If it lasts, look at https://azure.status.microsoft, and at the identity service of the host.".to_owned()],
        ),
        Code::Configuration => {
            let missing = ["azure_tenant_id", "azure_client_id", "azure_client_secret", "azure_federated_token_file", "azure_client_certificate_path", "azure_username", "azure_password", "azure_token_credentials", "azure_authority_host"]
                .into_iter().filter(|name| case.says(name)).map(str::to_ascii_uppercase).collect::<Vec<_>>().join(", ");
            let cause = if case.has(7_000_218) {
                "The request has neither a client secret nor an assertion, although the application is a confidential client.".to_owned()
            } else if case.has(700_025) {
                "The application is a public client, and the request has a secret or an assertion.".to_owned()
            } else if !missing.is_empty() {
                format!("The credential's settings are incomplete or wrong; the error names {missing}.")
            } else if case.has(900_144) {
                "The token request lacks a parameter that Entra needs, such as client_id or scope: a setting is missing or empty.".to_owned()
            } else {
                "The settings of the credential are incomplete or wrong.".to_owned()
            };
            (cause, vec![
                "For a service principal set all of AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH), without quotes, white space or placeholders; for workload identity AZURE_FEDERATED_TOKEN_FILE instead of the secret.".to_owned(),
                "See which credential the environment selects, and what is missing:\nnpx copilot-keyless config".to_owned(),
                ON_A_DEVELOPER_MACHINE.to_owned(),
            ])
        }
        Code::LibraryFault => (
            "The library that asks for the token failed by itself: the cause is in its code or its installation, not in the identity's settings.".to_owned(),
            vec![
                "Update the Azure Identity and MSAL packages (npm update @azure/identity, pip install --upgrade azure-identity msal), and look for the message among their issues.".to_owned(),
                "To get on, use another credential: createDirectCredential of copilot-keyless/direct asks the same identity without the library.".to_owned(),
                format!("For a developer's machine:\n{}", Tool::AzureCli.check()),
            ],
        ),
        Code::Unknown => (
            "The error matches no known cause.".to_owned(),
            vec![
                "Check the whole setup step by step:\nnpx copilot-keyless doctor".to_owned(),
                "Look up an Entra error number at https://login.microsoftonline.com/error.".to_owned(),
            ],
        ),
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
