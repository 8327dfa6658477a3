import type { Endpoint } from "./provider.js";
import type { AccessToken } from "./token.js";

/** A request to a model that failed, as {@link diagnose} takes it. */
export interface FailedRequest {
  /** The endpoint, in any form; what cannot be read counts as not given. */
  endpoint?: string | Endpoint | undefined;
  /** The HTTP status; 0 if no answer came. */
  status: number;
  /** The response's headers. */
  headers?: Record<string, string> | Iterable<readonly [string, string]> | undefined;
  /** The response's body, as text or parsed; with status 0 what the network said. */
  body?: unknown;
  /** The token that was sent. It is only decoded: neither stored nor shown. */
  token?: string | AccessToken | undefined;
  /** When the request was made, in epoch ms. Default: now. */
  now?: number | undefined;
  /** The deployment that was asked for. */
  deployment?: string | undefined;
  wireApi?: "responses" | "completions" | undefined;
}

/** What a failed request was found to be. docs/reference/errors.md lists the codes. */
export interface Diagnosis {
  /** Stable, such as `missing-role`. `ok` when the request did not fail, `unknown` when nothing fits. */
  code: string;
  /** The finding in a few words. */
  title: string;
  /** Why it was found, with the names and times of this case. */
  cause: string;
  /** What to do, the likeliest first. A command stands on a line of its own. */
  fixes: string[];
  /** Whether the same request may succeed later, with nothing changed. */
  retryable: boolean;
  /** Whether the resource rejected the token itself, so that another one may be accepted. */
  tokenRejected: boolean;
  /** The HTTP status, if an answer came. */
  status?: number;
  /** Azure's own words, or the network's. */
  message?: string;
  /** How long Azure asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /** Azure's id of the request, for its support. */
  requestId?: string;
}

/** The role that a principal needs to use the models of a resource. */
export interface RoleAssignment {
  /** The role's name, such as `Cognitive Services OpenAI User`. */
  role: string;
  /** The role's id, which does not change when the name does. */
  roleId: string;
  /** The command of the Azure CLI that assigns it, with a placeholder such as `<object-id>` for what is not known. */
  command: string;
}
