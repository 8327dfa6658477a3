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
  LengthFault,
  MalformedExpiryFault,
  RequestMatch,
  SlowBodyFault,
  StatusFault,
  StreamErrorFault,
  WrongAudienceFault,
} from "./emulator/fault-types.js";
export type { RequestAuthorization, RequestCounts, RequestRecord } from "./emulator/log.js";
export type { Quota } from "./emulator/quota.js";
export type { Replies, ScriptedReply } from "./emulator/replies.js";
export type {
  Reply,
  ReplyFinish,
  ReplyFunction,
  ReplyMessage,
  ReplyRequest,
  ReplyTool,
  ReplyUsage,
} from "./emulator/reply.js";
export type { TokenSelection } from "./emulator/revocations.js";
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
