import type { DiagnosisCode } from "../../errors/codes.js";
import type { Endpoint } from "./provider.js";
import type { AccessToken } from "./token.js";

/** A failed request to a model: the input of {@link diagnose}. */
export interface FailedRequest {
  /** The endpoint, in any form. Ignored if it cannot be parsed. */
  endpoint?: string | Endpoint | undefined;
  /** The HTTP status; 0 if there was no response. */
  status: number;
  /** The response's headers. */
  headers?: Record<string, string> | Iterable<readonly [string, string]> | undefined;
  /** The response's body, as text or parsed. With status 0, the network's error message. */
  body?: unknown;
  /** The token that was sent. It is decoded, but neither stored nor shown. */
  token?: string | AccessToken | undefined;
  /** The time of the request, in epoch milliseconds. Default: now. */
  now?: number | undefined;
  /** The requested deployment. */
  deployment?: string | undefined;
  wireApi?: "responses" | "completions" | undefined;
  /** The sub-agent that sent the request, if the Copilot runtime chose the deployment for it. */
  agent?: string | undefined;
  /**
   * The environment of the program that failed: it names the proxy in use. Default `process.env`.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Explains a failed request. docs/reference/errors.md lists the codes. */
export interface Diagnosis {
  /**
   * A stable code, such as `missing-role`. `ok` if the request did not fail, `unknown` if no cause
   * fits.
   */
  code: DiagnosisCode;
  /** A short title. */
  title: string;
  /** The cause, with the names and times of this case. */
  cause: string;
  /** Fixes, the likeliest first. A command is on a line of its own. */
  fixes: string[];
  /** Whether the same request may succeed later, without any change. */
  retryable: boolean;
  /** Whether the resource rejected the token itself, so that a new one may be accepted. */
  tokenRejected: boolean;
  /** The HTTP status, if there was a response. */
  status?: number;
  /** The message of Azure or of the network. */
  message?: string;
  /** How long Azure asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /** Azure's request id, for a support case. */
  requestId?: string;
  /** The limit that was reached. Only for `rate-limited`. */
  rateLimit?: RateLimit;
}

/** The rate limit that a response with status 429 is about. */
export interface RateLimit {
  /** What is used up, if the response says so. */
  usedUp?: "requests" | "tokens";
  /** The limit of that: requests or tokens per period. */
  limit?: number;
  /** How many of them remain. */
  remaining?: number;
  /** The time until the limit is restored, in milliseconds. */
  resetsInMs?: number;
  /**
   * Whether the same request can succeed later. False for a prompt that is larger than the whole
   * limit.
   */
  waitingHelps: boolean;
  /** Whether Azure has lowered the limit because of many rejected requests. */
  abusePenalty: boolean;
  /** Whether a provisioned deployment passed the request on to a standard one. */
  spilledOver: boolean;
}

/** The role that a principal needs to use the models of a resource. */
export interface RoleAssignment {
  /** The role's name, such as `Cognitive Services OpenAI User`. */
  role: string;
  /** The role's id, which stays the same if the role is renamed. */
  roleId: string;
  /**
   * The Azure CLI command that assigns it, with placeholders such as `<object-id>` for unknown
   * values.
   */
  command: string;
}
