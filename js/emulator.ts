/**
 * Emulates a managed identity and a Foundry resource on loopback ports, to test an app offline: real
 * HTTP, signed tokens that expire and can be revoked, Azure's own error bodies, scripted faults, and
 * a log of every request.
 *
 * @packageDocumentation
 */

export type { EmulatorClock } from "./emulator/clock.js";
export { startEmulator } from "./emulator/emulator.js";
export type { ResourceErrorCode } from "./emulator/errors.js";
export type {
  BodyFault,
  ClaimsChallengeFault,
  ConnectionFault,
  CutStreamFault,
  DelayFault,
  EmulatorServer,
  ExpiredFault,
  Fault,
  FaultHandle,
  FaultKind,
  FaultRequest,
  Faults,
  FaultTarget,
  MalformedExpiryFault,
  SlowBodyFault,
  StatusFault,
  WrongAudienceFault,
} from "./emulator/faults.js";
export type { RequestAuthorization, RequestCounts, RequestRecord } from "./emulator/log.js";
export type { Reply, ReplyFunction, ReplyMessage, ReplyRequest, ReplyTool } from "./emulator/reply.js";
export type { TokenClaims } from "./emulator/tokens.js";
export type {
  EmulatedFoundry,
  EmulatedHosts,
  EmulatedIdentity,
  Emulator,
  EmulatorEnvironment,
  EmulatorOptions,
  SecureHosts,
  TokenLifetimeRequest,
} from "./emulator/types.js";
