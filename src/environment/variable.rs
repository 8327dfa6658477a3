//! The environment variables that are read: one list of what each holds and who may see it.

use serde::{Serialize, Serializer};

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Holds {
    /// An endpoint.
    Endpoint,
    /// The name of a model or a deployment.
    Model,
    /// The name of a deployment, by the variable's own words.
    Deployment,
    /// A token scope.
    Scope,
    /// A setting of a credential.
    Credential,
    /// A sign of the host that the program runs on.
    Host,
    /// A proxy, or the hosts that need none.
    Proxy,
}

/// Who may see the value of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Visibility {
    /// The value counts, and may be shown.
    Value,
    /// Only that it is set counts; the value is nobody's business, such as a user's name or a proxy's URL with a password.
    Presence,
    /// As `Presence`, and it leads to a secret: no child process gets it.
    LeadsToSecret,
    /// As `LeadsToSecret`, and the value is the secret itself.
    Secret,
}

/// Declares [`Variable`], its names and [`Variable::ALL`] from one list.
macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal, $holds:ident, $visibility:ident,)+) => {
        /// An environment variable that is read, here or by `@azure/identity`. Of those that hold the same thing the first that is set
        /// wins.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Variable {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Variable {
            /// Every variable there is; of those that hold the same thing, first come first.
            pub const ALL: &'static [Variable] = &[$(Variable::$variant,)+];

            /// The name, such as `FOUNDRY_RESOURCE_URL`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Variable::$variant => $name,)+
                }
            }

            /// What it holds.
            pub const fn holds(self) -> Holds {
                match self {
                    $(Variable::$variant => Holds::$holds,)+
                }
            }

            /// Who may see its value.
            pub const fn visibility(self) -> Visibility {
                match self {
                    $(Variable::$variant => Visibility::$visibility,)+
                }
            }
        }
    };
}

variables! {
    /// The address of a Foundry resource.
    FoundryResourceUrl => "FOUNDRY_RESOURCE_URL", Endpoint, Value,
    /// The same, by an older name.
    AzureAiFoundryResourceUrl => "AZURE_AI_FOUNDRY_RESOURCE_URL", Endpoint, Value,
    /// The address of a Foundry project.
    FoundryProjectEndpoint => "FOUNDRY_PROJECT_ENDPOINT", Endpoint, Value,
    /// The same, by an older name.
    AzureAiProjectEndpoint => "AZURE_AI_PROJECT_ENDPOINT", Endpoint, Value,
    /// The address of an Azure OpenAI resource.
    AzureOpenaiEndpoint => "AZURE_OPENAI_ENDPOINT", Endpoint, Value,
    /// The same with the path of the API.
    AzureOpenaiBaseUrl => "AZURE_OPENAI_BASE_URL", Endpoint, Value,

    /// The name of a model, or of the deployment that serves it.
    FoundryModelName => "FOUNDRY_MODEL_NAME", Model, Value,
    /// The name of a deployment.
    AzureOpenaiDeployment => "AZURE_OPENAI_DEPLOYMENT", Deployment, Value,
    /// The same.
    AzureOpenaiDeploymentName => "AZURE_OPENAI_DEPLOYMENT_NAME", Deployment, Value,

    /// The scope of the token.
    FoundryTokenScope => "FOUNDRY_TOKEN_SCOPE", Scope, Value,

    /// Which credential to use.
    AzureTokenCredentials => "AZURE_TOKEN_CREDENTIALS", Credential, Value,
    /// The tenant of a service principal or a workload identity.
    AzureTenantId => "AZURE_TENANT_ID", Credential, Value,
    /// The client id of an application or a managed identity.
    AzureClientId => "AZURE_CLIENT_ID", Credential, Value,
    /// Where to sign in.
    AzureAuthorityHost => "AZURE_AUTHORITY_HOST", Credential, Value,
    /// The secret of a service principal.
    AzureClientSecret => "AZURE_CLIENT_SECRET", Credential, Secret,
    /// The file with the certificate of a service principal.
    AzureClientCertificatePath => "AZURE_CLIENT_CERTIFICATE_PATH", Credential, LeadsToSecret,
    /// The password of that file.
    AzureClientCertificatePassword => "AZURE_CLIENT_CERTIFICATE_PASSWORD", Credential, Secret,
    /// A user who signs in without being asked.
    AzureUsername => "AZURE_USERNAME", Credential, Presence,
    /// That user's password.
    AzurePassword => "AZURE_PASSWORD", Credential, Secret,
    /// The file with the token of a workload identity.
    AzureFederatedTokenFile => "AZURE_FEDERATED_TOKEN_FILE", Credential, LeadsToSecret,
    /// Where the managed identity of App Service and its relatives answers.
    IdentityEndpoint => "IDENTITY_ENDPOINT", Credential, LeadsToSecret,
    /// The secret that it wants.
    IdentityHeader => "IDENTITY_HEADER", Credential, Secret,
    /// The certificate of Service Fabric's identity endpoint.
    IdentityServerThumbprint => "IDENTITY_SERVER_THUMBPRINT", Credential, Presence,
    /// Where the managed identity of Azure Arc answers.
    ImdsEndpoint => "IMDS_ENDPOINT", Credential, Presence,
    /// Where that of Cloud Shell and Azure Machine Learning answers.
    MsiEndpoint => "MSI_ENDPOINT", Credential, LeadsToSecret,
    /// The secret that Azure Machine Learning's wants.
    MsiSecret => "MSI_SECRET", Credential, Secret,
    /// Where the metadata service answers instead of at its usual address.
    AzurePodIdentityAuthorityHost => "AZURE_POD_IDENTITY_AUTHORITY_HOST", Credential, Presence,

    /// The site of App Service.
    WebsiteSiteName => "WEBSITE_SITE_NAME", Host, Presence,
    /// The language of Azure Functions; its tools set it on a developer's machine, too.
    FunctionsWorkerRuntime => "FUNCTIONS_WORKER_RUNTIME", Host, Presence,
    /// The app of Azure Container Apps.
    ContainerAppName => "CONTAINER_APP_NAME", Host, Presence,
    /// The job of Azure Container Apps.
    ContainerAppJobName => "CONTAINER_APP_JOB_NAME", Host, Presence,
    /// The API server of a Kubernetes cluster.
    KubernetesServiceHost => "KUBERNETES_SERVICE_HOST", Host, Presence,

    /// The proxy for https.
    HttpsProxy => "HTTPS_PROXY", Proxy, Presence,
    /// The same.
    HttpsProxyLower => "https_proxy", Proxy, Presence,
    /// The proxy for everything.
    AllProxy => "ALL_PROXY", Proxy, Presence,
    /// The same.
    AllProxyLower => "all_proxy", Proxy, Presence,
    /// The proxy for http.
    HttpProxy => "HTTP_PROXY", Proxy, Presence,
    /// The same.
    HttpProxyLower => "http_proxy", Proxy, Presence,
    /// The hosts that need no proxy.
    NoProxy => "NO_PROXY", Proxy, Value,
    /// The same.
    NoProxyLower => "no_proxy", Proxy, Value,
}

impl Serialize for Variable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Where a setting comes from. Serialised as `option`, the name of the variable, or `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An option of the program.
    Option,
    /// An environment variable.
    Variable(Variable),
    /// Neither.
    Default,
}

impl Origin {
    /// `option`, the name of the variable, or `default`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Option => "option",
            Self::Variable(variable) => variable.as_str(),
            Self::Default => "default",
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
