/**
 * A hosted agent of Microsoft Foundry, on the Copilot SDK and the agent's own identity: answers
 * `POST /invocations` and `POST /responses`.
 *
 * @packageDocumentation
 */

export type { CloseOptions } from "./chat/service.js";
export type { ChatStatus } from "./chat/worker.js";
export { createHostedAgent, type HostedAgent } from "./hosted-agent/agent.js";
export type { HostedAgentOptions, ServeOptions } from "./hosted-agent/options.js";
export type { AgentServer } from "./hosted-agent/server.js";
