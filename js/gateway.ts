/**
 * A keyless gateway: an HTTP server on this machine that takes a local key, adds a fresh Entra token
 * and passes requests on to Microsoft Foundry or Azure OpenAI. For programs that can only hold a
 * static key.
 *
 * @packageDocumentation
 */

export type { GatewayAccess } from "./gateway/access-log.js";
export { createGateway, type Gateway, type GatewayBackendState } from "./gateway/gateway.js";
export type { GatewayBackend, GatewayLimits, GatewayOptions } from "./gateway/options.js";
