//! The credential that calls Azure's identity endpoints and developer tools itself.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use copilot_keyless::environment::{CredentialKind, credential_chain};
use zeroize::Zeroizing;

use super::http::Http;
use super::{BoxFuture, Credential, CredentialError, TokenRequest, TokenResponse, chain};
use crate::Result;
use crate::clock::{Clock, SystemClock};
use crate::vars::Vars;

/// All attempts together: IMDS may be down for 70 s while it is updated.
const TIMEOUT: Duration = Duration::from_secs(75);

pub(super) type Assertion =
    dyn Fn() -> BoxFuture<'static, std::result::Result<String, CredentialError>> + Send + Sync;

/// Acquires tokens from what the environment names: the managed identity of App Service, Functions,
/// Container Apps, virtual machines, Azure Arc, Service Fabric and Azure Machine Learning; a workload
/// identity; a service principal with a secret or a certificate; the OIDC token of a job of GitHub Actions
/// or Azure Pipelines; the developer tools `az`, `azd` and PowerShell.
///
/// `AZURE_TOKEN_CREDENTIALS` chooses (`prod`, `dev`, or a credential such as `ManagedIdentityCredential`).
/// Unset, the first complete set of variables counts, else a managed identity and then the tools are
/// tried. The error of a chain tells what each of them lacks.
///
/// It keeps no token: [`TokenProvider`](crate::TokenProvider) does. Requests to this host's endpoint use no
/// proxy and follow no redirect; files of tokens are read anew each time; a tool ends with the request.
///
/// ```no_run
/// use copilot_keyless_tokio::{DirectCredential, TokenProvider};
///
/// # fn main() -> Result<(), copilot_keyless_tokio::Error> {
/// let credential = DirectCredential::builder().client_id("1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55").build()?;
/// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").credential(credential).build()?;
/// # Ok(())
/// # }
/// ```
pub struct DirectCredential {
    pub(super) settings: DirectCredentialBuilder,
    pub(super) http: Http,
    /// Whether the endpoint refused to renew a rejected token.
    pub(super) renewal_refused: AtomicBool,
    /// The link of the chain that returned a token, counted from 1.
    pub(super) succeeded: AtomicUsize,
}

impl DirectCredential {
    /// Creates the credential that the environment of the process names.
    ///
    /// Errors: `credential/configuration` for variables that contradict themselves.
    ///
    /// ```
    /// let credential = copilot_keyless_tokio::DirectCredential::from_env()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn from_env() -> Result<Self> {
        Self::builder().build()
    }

    /// Returns a builder with all settings.
    ///
    /// ```
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let credential = DirectCredential::builder().tenant("contoso.com").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn builder() -> DirectCredentialBuilder {
        DirectCredentialBuilder::default()
    }

    /// Returns the credentials to try.
    pub(super) fn chain(&self) -> copilot_keyless::Result<Vec<CredentialKind>> {
        if self.settings.assertion.is_some() {
            return Ok(vec![CredentialKind::WorkloadIdentity]);
        }
        if self.settings.client_secret.is_some() {
            return Ok(vec![CredentialKind::Environment]);
        }
        credential_chain(&self.settings.vars.all())
    }
}

impl Credential for DirectCredential {
    fn acquire<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, std::result::Result<TokenResponse, CredentialError>> {
        Box::pin(async move {
            match tokio::time::timeout(self.settings.timeout, chain::acquire(self, request)).await {
                Ok(answer) => answer,
                Err(_) => Err(request
                    .noted()
                    .unwrap_or_else(|| CredentialError::new("no answer in time").unreachable())),
            }
        })
    }
}

impl fmt::Debug for DirectCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectCredential").finish_non_exhaustive()
    }
}

/// Settings of a [`DirectCredential`]. In Azure none is needed.
///
/// ```
/// use copilot_keyless_tokio::DirectCredential;
///
/// let credential = DirectCredential::builder()
///     .tenant("contoso.com")
///     .client_id("1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55")
///     .assertion(|| async { Ok("federated token".to_owned()) })
///     .build()?;
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "build() makes the credential"]
pub struct DirectCredentialBuilder {
    pub(super) vars: Vars,
    pub(super) client: Option<reqwest::Client>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) client_id: Option<String>,
    pub(super) object_id: Option<String>,
    pub(super) resource_id: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) authority_host: Option<String>,
    pub(super) client_secret: Option<Zeroizing<String>>,
    pub(super) assertion: Option<Arc<Assertion>>,
    timeout: Duration,
}

impl Default for DirectCredentialBuilder {
    fn default() -> Self {
        Self {
            vars: Vars::default(),
            client: None,
            clock: Arc::new(SystemClock),
            client_id: None,
            object_id: None,
            resource_id: None,
            tenant: None,
            authority_host: None,
            client_secret: None,
            assertion: None,
            timeout: TIMEOUT,
        }
    }
}

impl fmt::Debug for DirectCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectCredentialBuilder").finish_non_exhaustive()
    }
}

impl DirectCredentialBuilder {
    /// Sets where environment variables are read from. Default: the process. Tools are found by its
    /// `PATH`, and get the other variables of the process.
    ///
    /// ```
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let credential = DirectCredential::builder()
    ///     .vars(|name| (name == "AZURE_TOKEN_CREDENTIALS").then(|| "dev".to_owned()))
    ///     .build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn vars(mut self, vars: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.vars = Vars::from_fn(vars);
        self
    }

    /// Sets the client for requests to Entra. Requests to this host's endpoint use another one.
    ///
    /// ```
    /// use copilot_keyless_tokio::{DirectCredential, DirectCredentialBuilder};
    ///
    /// fn through_a_proxy(client: reqwest::Client) -> DirectCredentialBuilder {
    ///     DirectCredential::builder().client(client)
    /// }
    /// ```
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Sets the client id of the application or of a user-assigned identity. Default:
    /// `AZURE_CLIENT_ID`.
    ///
    /// ```
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let credential = DirectCredential::builder().client_id("1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets the object id of a user-assigned identity.
    ///
    /// ```
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let credential = DirectCredential::builder().object_id("1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn object_id(mut self, id: impl Into<String>) -> Self {
        self.object_id = Some(id.into());
        self
    }

    /// Sets the Azure resource id of a user-assigned identity.
    ///
    /// ```
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app";
    /// let credential = DirectCredential::builder().resource_id(id).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn resource_id(mut self, id: impl Into<String>) -> Self {
        self.resource_id = Some(id.into());
        self
    }

    /// Sets the tenant. Default: `AZURE_TENANT_ID`; for tools, the one that they are signed in to.
    ///
    /// ```
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let credential = DirectCredential::builder().tenant("contoso.com").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets the authority to sign in at. Default: `AZURE_AUTHORITY_HOST`, else the public cloud's.
    ///
    /// ```
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let credential = DirectCredential::builder().authority_host("https://login.microsoftonline.us").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn authority_host(mut self, host: impl Into<String>) -> Self {
        self.authority_host = Some(host.into());
        self
    }

    /// Sets the secret of a service principal. Default: `AZURE_CLIENT_SECRET`.
    ///
    /// ```
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let credential = DirectCredential::builder()
    ///     .tenant("contoso.com")
    ///     .client_id("1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55")
    ///     .client_secret("from a vault")
    ///     .build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(Zeroizing::new(secret.into()));
        self
    }

    /// Sets a function that returns the federated token of a workload identity, such as from a key vault
    /// or another cloud. Called for every attempt. Default: reads `AZURE_FEDERATED_TOKEN_FILE`.
    ///
    /// ```
    /// use copilot_keyless_tokio::{CredentialError, DirectCredential};
    ///
    /// async fn federated_token() -> Result<String, CredentialError> {
    ///     std::fs::read_to_string("/run/token")
    ///         .map_err(|cause| CredentialError::new("no federated token").with_source(cause))
    /// }
    ///
    /// let credential = DirectCredential::builder().assertion(federated_token).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn assertion<F, A>(mut self, assertion: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = std::result::Result<String, CredentialError>> + Send + 'static,
    {
        self.assertion = Some(Arc::new(move || Box::pin(assertion())));
        self
    }

    /// Sets the deadline for all attempts together. Default 75 s; the provider ends it earlier.
    ///
    /// ```
    /// use std::time::Duration;
    /// use copilot_keyless_tokio::DirectCredential;
    ///
    /// let credential = DirectCredential::builder().timeout(Duration::from_secs(10)).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn with_vars(mut self, vars: Vars) -> Self {
        self.vars = vars;
        self
    }

    pub(crate) fn with_client(mut self, client: Option<reqwest::Client>) -> Self {
        self.client = client;
        self
    }

    pub(crate) fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the credential. Sends no request and runs no program.
    ///
    /// Errors: `credential/configuration` for variables that contradict themselves.
    ///
    /// ```
    /// let credential = copilot_keyless_tokio::DirectCredential::builder().build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn build(self) -> Result<DirectCredential> {
        let credential = DirectCredential {
            http: Http::new(self.client.clone()),
            settings: self,
            renewal_refused: AtomicBool::new(false),
            succeeded: AtomicUsize::new(0),
        };
        credential.chain()?;
        Ok(credential)
    }
}
