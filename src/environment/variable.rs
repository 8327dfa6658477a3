//! Lists the environment variables, with their purpose and visibility.

use serde::{Serialize, Serializer};

/// The purpose of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Holds {
    /// An endpoint.
    Endpoint,
    /// The name of a model or a deployment.
    Model,
    /// The name of a deployment, as the variable's name says.
    Deployment,
    /// A token scope.
    Scope,
    /// A setting of a credential.
    Credential,
    /// An indication of the host platform.
    Host,
    /// A proxy, or the hosts that bypass it.
    Proxy,
}

/// Who may see the value of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Visibility {
    /// The value is read and may be shown.
    Value,
    /// Only its presence counts. The value is private, such as a user name or a proxy URL with a
    /// password.
    Presence,
    /// As `Presence`, and the variable leads to a secret, so child processes do not get it.
    LeadsToSecret,
    /// As `LeadsToSecret`, and the value is the secret itself.
    Secret,
}

/// Declares [`Variable`], its names and [`Variable::ALL`] from one list.
macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal, $holds:ident, $visibility:ident,)+) => {
        /// An environment variable that this crate or `@azure/identity` reads. Of several with the
        /// same purpose, the first one that is set wins.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Variable {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Variable {
            /// All variables. Those with the same purpose are in order of precedence.
            pub const ALL: &'static [Variable] = &[$(Variable::$variant,)+];

            /// Returns the name, such as `FOUNDRY_RESOURCE_URL`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Variable::$variant => $name,)+
                }
            }

            /// Returns the purpose.
            pub const fn holds(self) -> Holds {
                match self {
                    $(Variable::$variant => Holds::$holds,)+
                }
            }

            /// Returns who may see the value.
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
    /// An older name of `FOUNDRY_RESOURCE_URL`.
    AzureAiFoundryResourceUrl => "AZURE_AI_FOUNDRY_RESOURCE_URL", Endpoint, Value,
    /// The address of a Foundry project.
    FoundryProjectEndpoint => "FOUNDRY_PROJECT_ENDPOINT", Endpoint, Value,
    /// An older name of `FOUNDRY_PROJECT_ENDPOINT`.
    AzureAiProjectEndpoint => "AZURE_AI_PROJECT_ENDPOINT", Endpoint, Value,
    /// The address of an Azure OpenAI resource.
    AzureOpenaiEndpoint => "AZURE_OPENAI_ENDPOINT", Endpoint, Value,
    /// The address of an Azure OpenAI resource, with the path of the API.
    AzureOpenaiBaseUrl => "AZURE_OPENAI_BASE_URL", Endpoint, Value,

    /// The name of a model, or of its deployment.
    FoundryModelName => "FOUNDRY_MODEL_NAME", Model, Value,
    /// The name of a deployment.
    AzureOpenaiDeployment => "AZURE_OPENAI_DEPLOYMENT", Deployment, Value,
    /// The name of a deployment.
    AzureOpenaiDeploymentName => "AZURE_OPENAI_DEPLOYMENT_NAME", Deployment, Value,
    /// The name of a deployment, for Foundry hosted agents.
    AzureAiModelDeploymentName => "AZURE_AI_MODEL_DEPLOYMENT_NAME", Deployment, Value,

    /// The token scope.
    FoundryTokenScope => "FOUNDRY_TOKEN_SCOPE", Scope, Value,

    /// The credential to use.
    AzureTokenCredentials => "AZURE_TOKEN_CREDENTIALS", Credential, Value,
    /// The tenant of a service principal or a workload identity.
    AzureTenantId => "AZURE_TENANT_ID", Credential, Value,
    /// The client id of an application or a managed identity.
    AzureClientId => "AZURE_CLIENT_ID", Credential, Value,
    /// The authority host to sign in at.
    AzureAuthorityHost => "AZURE_AUTHORITY_HOST", Credential, Value,
    /// The secret of a service principal.
    AzureClientSecret => "AZURE_CLIENT_SECRET", Credential, Secret,
    /// The file with the certificate of a service principal.
    AzureClientCertificatePath => "AZURE_CLIENT_CERTIFICATE_PATH", Credential, LeadsToSecret,
    /// The password of that file.
    AzureClientCertificatePassword => "AZURE_CLIENT_CERTIFICATE_PASSWORD", Credential, Secret,
    /// The name of a user who signs in with a password.
    AzureUsername => "AZURE_USERNAME", Credential, Presence,
    /// The password of that user.
    AzurePassword => "AZURE_PASSWORD", Credential, Secret,
    /// The file with the token of a workload identity.
    AzureFederatedTokenFile => "AZURE_FEDERATED_TOKEN_FILE", Credential, LeadsToSecret,
    /// The identity endpoint of App Service and related hosts.
    IdentityEndpoint => "IDENTITY_ENDPOINT", Credential, LeadsToSecret,
    /// The secret for `IDENTITY_ENDPOINT`.
    IdentityHeader => "IDENTITY_HEADER", Credential, Secret,
    /// The thumbprint of the certificate of Service Fabric's identity endpoint.
    IdentityServerThumbprint => "IDENTITY_SERVER_THUMBPRINT", Credential, Presence,
    /// The identity endpoint of Azure Arc.
    ImdsEndpoint => "IMDS_ENDPOINT", Credential, Presence,
    /// The identity endpoint of Cloud Shell and Azure Machine Learning.
    MsiEndpoint => "MSI_ENDPOINT", Credential, LeadsToSecret,
    /// The secret for the identity endpoint of Azure Machine Learning.
    MsiSecret => "MSI_SECRET", Credential, Secret,
    /// The client id of the managed identity of Azure Machine Learning.
    DefaultIdentityClientId => "DEFAULT_IDENTITY_CLIENT_ID", Credential, Value,
    /// The address of the metadata service, if it is not the usual one.
    AzurePodIdentityAuthorityHost => "AZURE_POD_IDENTITY_AUTHORITY_HOST", Credential, Presence,
    /// The client id of the identity of a Foundry hosted agent.
    FoundryAgentInstanceClientId => "FOUNDRY_AGENT_INSTANCE_CLIENT_ID", Credential, Value,
    /// The tenant of a Foundry hosted agent.
    FoundryAgentTenantId => "FOUNDRY_AGENT_TENANT_ID", Credential, Value,
    /// The address where a job of GitHub Actions gets its OIDC token.
    ActionsIdTokenRequestUrl => "ACTIONS_ID_TOKEN_REQUEST_URL", Credential, LeadsToSecret,
    /// The secret for `ACTIONS_ID_TOKEN_REQUEST_URL`.
    ActionsIdTokenRequestToken => "ACTIONS_ID_TOKEN_REQUEST_TOKEN", Credential, Secret,
    /// The address where a job of Azure Pipelines gets its OIDC token.
    SystemOidcrequesturi => "SYSTEM_OIDCREQUESTURI", Credential, LeadsToSecret,
    /// The secret for `SYSTEM_OIDCREQUESTURI`.
    SystemAccesstoken => "SYSTEM_ACCESSTOKEN", Credential, Secret,
    /// The service connection of a job of Azure Pipelines.
    AzuresubscriptionServiceConnectionId => "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", Credential, Value,
    /// The client id of that service connection.
    AzuresubscriptionClientId => "AZURESUBSCRIPTION_CLIENT_ID", Credential, Value,
    /// The tenant of that service connection.
    AzuresubscriptionTenantId => "AZURESUBSCRIPTION_TENANT_ID", Credential, Value,
    /// The address of the Microsoft Entra ID auth sidecar.
    SidecarUrl => "SIDECAR_URL", Credential, LeadsToSecret,
    /// The token proxy of an AKS identity binding.
    AzureKubernetesTokenProxy => "AZURE_KUBERNETES_TOKEN_PROXY", Credential, LeadsToSecret,
    /// The TLS server name of that proxy.
    AzureKubernetesSniName => "AZURE_KUBERNETES_SNI_NAME", Credential, Presence,
    /// The file with the certificate authority of that proxy.
    AzureKubernetesCaFile => "AZURE_KUBERNETES_CA_FILE", Credential, Presence,
    /// The certificate authority of that proxy, as PEM text.
    AzureKubernetesCaData => "AZURE_KUBERNETES_CA_DATA", Credential, Presence,

    /// The hosting environment of a Foundry hosted agent.
    FoundryHostingEnvironment => "FOUNDRY_HOSTING_ENVIRONMENT", Host, Value,
    /// The name of a Foundry hosted agent.
    FoundryAgentName => "FOUNDRY_AGENT_NAME", Host, Value,
    /// The version of a Foundry hosted agent.
    FoundryAgentVersion => "FOUNDRY_AGENT_VERSION", Host, Value,
    /// The session that a container of a Foundry hosted agent serves.
    FoundryAgentSessionId => "FOUNDRY_AGENT_SESSION_ID", Host, Value,
    /// The site name of App Service.
    WebsiteSiteName => "WEBSITE_SITE_NAME", Host, Presence,
    /// The language of Azure Functions. The Functions tools also set it on developer machines.
    FunctionsWorkerRuntime => "FUNCTIONS_WORKER_RUNTIME", Host, Presence,
    /// The app name of Azure Container Apps.
    ContainerAppName => "CONTAINER_APP_NAME", Host, Presence,
    /// The job name of Azure Container Apps.
    ContainerAppJobName => "CONTAINER_APP_JOB_NAME", Host, Presence,
    /// The mark of a job of GitHub Actions.
    GithubActions => "GITHUB_ACTIONS", Host, Presence,
    /// The mark of a job of Azure Pipelines.
    TfBuild => "TF_BUILD", Host, Presence,
    /// The API server of the Kubernetes cluster.
    KubernetesServiceHost => "KUBERNETES_SERVICE_HOST", Host, Presence,

    /// The proxy for https.
    HttpsProxy => "HTTPS_PROXY", Proxy, Presence,
    /// The proxy for https, in lower case.
    HttpsProxyLower => "https_proxy", Proxy, Presence,
    /// The proxy for all schemes.
    AllProxy => "ALL_PROXY", Proxy, Presence,
    /// The proxy for all schemes, in lower case.
    AllProxyLower => "all_proxy", Proxy, Presence,
    /// The proxy for http.
    HttpProxy => "HTTP_PROXY", Proxy, Presence,
    /// The proxy for http, in lower case.
    HttpProxyLower => "http_proxy", Proxy, Presence,
    /// The hosts that bypass the proxy.
    NoProxy => "NO_PROXY", Proxy, Value,
    /// The hosts that bypass the proxy, in lower case.
    NoProxyLower => "no_proxy", Proxy, Value,
}

impl Serialize for Variable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The origin of a setting. Serialized as `option`, the name of the variable, or `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An option of the program.
    Option,
    /// An environment variable.
    Variable(Variable),
    /// The default.
    Default,
}

impl Origin {
    /// Returns `option`, the name of the variable, or `default`.
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
