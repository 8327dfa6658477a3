import { decide, planner } from "./bindings.js";
import { systemClock } from "./clock.js";
import { KeylessError } from "./errors.js";
import { redact } from "./redact.js";
import { tokenOf } from "./token-text.js";
import type { Diagnosis, FailedRequest } from "./types.js";
import type { PlainFailure } from "./wasm/plan.js";

/** The core's finding about a request: what was passed in made plain for it, and secrets taken out of the answer's words. */
export function diagnosed(
  failure: FailedRequest,
  judge: (bindings: ReturnType<typeof planner>, failure: PlainFailure) => Diagnosis,
): Diagnosis {
  const plain = plainFailure(failure);
  if (!Number.isInteger(plain.status) || plain.status < 0 || plain.status > 999) {
    throw new KeylessError(
      "diagnosis/invalid",
      "diagnose needs { status }: an HTTP status, or 0 if no answer came",
      {
        hint: "Pass the response's status, its body and its headers.",
      },
    );
  }
  const diagnosis = decide(() => judge(planner(), plain));
  const { cause, message } = diagnosis;
  return {
    ...diagnosis,
    cause: redact(cause),
    ...(message === undefined ? {} : { message: redact(message) }),
  };
}

/** A request, made plain for the core. */
export function plainFailure(failure: FailedRequest): PlainFailure {
  const {
    endpoint,
    status,
    headers,
    body,
    token,
    now = systemClock.now(),
    deployment,
    wireApi,
  } = failure ?? {};
  return {
    ...placeOf(endpoint),
    status,
    headers: plainHeaders(headers),
    body: textOf(body),
    token: tokenOf(token) ?? textOf(token),
    now: Number.isFinite(now) ? Math.trunc(now) : undefined,
    deployment: textOf(deployment),
    wireApi: textOf(wireApi),
  };
}

/** An endpoint as the core takes it: an object's settings go with its address. */
function placeOf(endpoint: FailedRequest["endpoint"]): { endpoint?: string | undefined; options?: object } {
  if (typeof endpoint !== "object" || endpoint === null || endpoint instanceof URL) {
    return { endpoint: endpoint === undefined || endpoint === null ? undefined : String(endpoint) };
  }
  const { baseUrl, type, apiVersion, scope } = endpoint;
  return { endpoint: textOf(baseUrl), options: { type, apiVersion, scope } };
}

/** A text; anything else as JSON, since a body may come parsed. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function plainHeaders(headers: FailedRequest["headers"]): Record<string, string> {
  if (typeof headers !== "object" || headers === null) return {};
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return Object.fromEntries(entries.map(([name, value]) => [String(name), String(value)]));
}
