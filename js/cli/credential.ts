import type { CredentialPlan } from "copilot-keyless";

const KINDS: Record<CredentialPlan["kind"], string> = {
  option: "your own credential",
  none: "none: the scope is unknown",
  default: "DefaultAzureCredential, whole chain",
  "developer-tools": "DefaultAzureCredential, developer tools",
  "deployed-service": "DefaultAzureCredential, deployed services",
  environment: "service principal",
  "workload-identity": "workload identity",
  "managed-identity": "managed identity",
  "visual-studio-code": "Visual Studio Code",
  "azure-cli": "Azure CLI",
  "azure-powershell": "Azure PowerShell",
  "azure-developer-cli": "Azure Developer CLI",
  "github-actions": "OIDC token of the job",
  "azure-pipelines": "OIDC token of the job",
};

const HOSTS: Record<NonNullable<CredentialPlan["host"]>, string> = {
  "app-service": "App Service",
  functions: "Azure Functions",
  "container-apps": "Container Apps",
  "service-fabric": "Service Fabric",
  kubernetes: "Kubernetes",
  "machine-learning": "Azure Machine Learning",
  "azure-arc": "Azure Arc",
  "cloud-shell": "Cloud Shell",
  "foundry-hosted-agent": "a Foundry hosted agent",
  "github-actions": "GitHub Actions",
  "azure-pipelines": "Azure Pipelines",
};

/** Describes a credential in a few words. */
export function describeCredential({ kind, host, clientId }: CredentialPlan): string {
  const assigned = kind === "managed-identity" ? (clientId ? " (user-assigned)" : " (system-assigned)") : "";
  return `${KINDS[kind]}${assigned}${host ? `, on ${HOSTS[host]}` : ""}`;
}
