import type { ResumeSessionConfig, SessionConfig } from "@github/copilot-sdk";
import type { ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { didYouMean } from "../errors/nearest.js";
import { installedVersion } from "../platform/installed.js";

/** The version of the Copilot SDK whose fields are listed. */
export const LISTED_SDK = "1.0.14";

/** The fields of a session's config. The type makes the list complete. */
const FIELDS: Record<keyof SessionConfig | keyof ResumeSessionConfig, true> = {
  additionalDirectories: true,
  agent: true,
  askUserVariant: true,
  authClientIdMetadataUrl: true,
  availableTools: true,
  canvasProvider: true,
  canvases: true,
  capi: true,
  clientName: true,
  cloud: true,
  coauthorEnabled: true,
  commands: true,
  configDirectory: true,
  contextTier: true,
  continuePendingWork: true,
  createSessionFsProvider: true,
  customAgents: true,
  customAgentsLocalOnly: true,
  defaultAgent: true,
  disabledMcpServers: true,
  disabledSkills: true,
  embeddingCacheStorage: true,
  enableCitations: true,
  enableConfigDiscovery: true,
  enableExperimentalMode: true,
  enableFileChangeTracking: true,
  enableFileHooks: true,
  enableHostGitOperations: true,
  enableManagedSettings: true,
  enableMcpApps: true,
  enableOnDemandInstructionDiscovery: true,
  enableSessionStore: true,
  enableSessionTelemetry: true,
  enableSkills: true,
  excludedBuiltinAgents: true,
  excludedTools: true,
  extensionInfo: true,
  extensionSdkPath: true,
  featureFlags: true,
  gitHubToken: true,
  gitHubTokenProvider: true,
  githubMcpToolConfig: true,
  hooks: true,
  includeSubAgentStreamingEvents: true,
  includedBuiltinSkills: true,
  infiniteSessions: true,
  instructionDirectories: true,
  largeOutput: true,
  manageScheduleEnabled: true,
  managedSettings: true,
  mcpOAuthTokenStorage: true,
  mcpServers: true,
  memory: true,
  model: true,
  modelCapabilities: true,
  models: true,
  onAutoModeSwitchRequest: true,
  onElicitationRequest: true,
  onEvent: true,
  onExitPlanModeRequest: true,
  onMcpAuthRequest: true,
  onPermissionRequest: true,
  onUserInputRequest: true,
  openCanvases: true,
  organizationCustomInstructions: true,
  pluginDirectories: true,
  provider: true,
  providers: true,
  reasoningEffort: true,
  reasoningSummary: true,
  remoteSession: true,
  requestCanvasRenderer: true,
  requestExtensions: true,
  sessionId: true,
  sessionLimits: true,
  skillDirectories: true,
  skipCustomInstructions: true,
  skipEmbeddingRetrieval: true,
  streaming: true,
  suppressResumeEvent: true,
  systemMessage: true,
  toolSearch: true,
  tools: true,
  workingDirectory: true,
};

/**
 * Refuses a field that a session's config does not have: the SDK ignores it in silence. Another
 * version of the SDK may have more fields; there only a field that looks like a misspelt one is
 * refused.
 *
 * @throws KeylessError with this code
 */
export function refuseUnknownFields(session: object, code: ErrorCode): void {
  for (const [name, value] of Object.entries(session)) {
    if (value === undefined || Object.hasOwn(FIELDS, name)) continue;
    const guess = didYouMean(name, Object.keys(FIELDS));
    if (guess === "" && installedVersion("@github/copilot-sdk") !== LISTED_SDK) continue;
    throw new KeylessError(code, `There is no session.${name}`, {
      hint: `${guess}The fields are those of SessionConfig of the Copilot SDK.`,
    });
  }
}
