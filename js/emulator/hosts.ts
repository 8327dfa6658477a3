import { type JobTokens, SERVICE_CONNECTION_ID } from "./job-tokens.js";
import { ACTIONS_PATH, PIPELINES_PATH } from "./jobs.js";
import { PRINCIPAL } from "./tokens.js";
import type { EmulatedHosts } from "./types.js";

/** The value of `MSI_ENDPOINT` in Azure Machine Learning. */
export const MACHINE_LEARNING_PATH = "/machine-learning/token";

/** The fictional identity of the hosted agent, the agent and its session. */
const AGENT_CLIENT_ID = "0e5d6c7b-8a9f-4b1c-9d2e-3f4a5b6c7d8e";
const AGENT_ID = "5b6c7d8e-9f0a-4b1c-8d2e-3f4a5b6c7d8e";
const AGENT_SESSION_ID = "emulated-session";

interface Settings {
  readonly identityUrl: string;
  /** The value of `IDENTITY_ENDPOINT`. */
  readonly endpoint: string;
  /** The secret of the managed identity endpoints. */
  readonly secret: string;
  readonly foundryUrl: string;
  readonly model: string;
  /** The variables of the endpoint, the model and the scope. */
  readonly resource: Readonly<
    Record<"FOUNDRY_RESOURCE_URL" | "FOUNDRY_MODEL_NAME" | "FOUNDRY_TOKEN_SCOPE", string>
  >;
  readonly jobs: JobTokens;
}

/** Returns the environments of processes on the emulated hosts. */
export function hostEnvironments(settings: Settings): EmulatedHosts {
  const { identityUrl, endpoint, secret, foundryUrl, model, resource, jobs } = settings;
  const { clientId, tenantId } = PRINCIPAL;
  return {
    // The variables that azure-ai-agentserver-core 2.1 reads (`_config.py`); see also
    // https://github.com/Azure/azure-sdk-for-python/tree/main/sdk/agentserver.
    foundryHostedAgent: {
      FOUNDRY_HOSTING_ENVIRONMENT: "emulator",
      FOUNDRY_PROJECT_ENDPOINT: `${foundryUrl}/api/projects/emulator`,
      FOUNDRY_AGENT_NAME: "agent",
      FOUNDRY_AGENT_VERSION: "1",
      FOUNDRY_AGENT_ID: AGENT_ID,
      FOUNDRY_AGENT_SESSION_ID: AGENT_SESSION_ID,
      FOUNDRY_AGENT_INSTANCE_CLIENT_ID: AGENT_CLIENT_ID,
      FOUNDRY_AGENT_TENANT_ID: tenantId,
      AZURE_AI_MODEL_DEPLOYMENT_NAME: model,
      IDENTITY_ENDPOINT: endpoint,
      IDENTITY_HEADER: secret,
      FOUNDRY_TOKEN_SCOPE: resource.FOUNDRY_TOKEN_SCOPE,
    },
    githubActions: {
      GITHUB_ACTIONS: "true",
      ACTIONS_ID_TOKEN_REQUEST_URL: `${identityUrl}${ACTIONS_PATH}?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: jobs.secrets["github-actions"],
      AZURE_CLIENT_ID: clientId,
      AZURE_TENANT_ID: tenantId,
      AZURE_AUTHORITY_HOST: identityUrl,
      ...resource,
    },
    azurePipelines: {
      TF_BUILD: "True",
      SYSTEM_OIDCREQUESTURI: `${identityUrl}${PIPELINES_PATH}`,
      SYSTEM_ACCESSTOKEN: jobs.secrets["azure-pipelines"],
      AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: SERVICE_CONNECTION_ID,
      AZURESUBSCRIPTION_CLIENT_ID: clientId,
      AZURESUBSCRIPTION_TENANT_ID: tenantId,
      AZURE_AUTHORITY_HOST: identityUrl,
      ...resource,
    },
    sidecar: { SIDECAR_URL: identityUrl, ...resource },
    machineLearning: {
      MSI_ENDPOINT: `${identityUrl}${MACHINE_LEARNING_PATH}`,
      MSI_SECRET: secret,
      DEFAULT_IDENTITY_CLIENT_ID: clientId,
      ...resource,
    },
  };
}
