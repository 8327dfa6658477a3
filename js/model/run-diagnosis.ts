import {
  anything,
  type Checks,
  endpoint as endpointCheck,
  finite,
  number,
  object,
  readOptions,
  text,
  token as tokenCheck,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { redact } from "../errors/redact.js";
import { textOf } from "../errors/text-of.js";
import { systemClock } from "../platform/clock.js";
import { coreEnvironment, environment } from "../platform/environment.js";
import { tokenOf } from "../tokens/clean-token.js";
import { callCore } from "../wasm/bindings.js";
import { explainModule } from "../wasm/explain-bindings.js";
import type { PlainFailure } from "../wasm/modules/explain.js";
import type { Diagnosis, FailedRequest } from "../wasm/types/diagnosis.js";

/** Runs a diagnosis of the core on a failed request, and redacts secrets in the result. */
export function runDiagnosis(
  failure: FailedRequest,
  diagnosis: (bindings: ReturnType<typeof explainModule>, failure: PlainFailure) => Diagnosis,
): Diagnosis {
  const plain = plainFailure(failure);
  if (!Number.isInteger(plain.status) || plain.status < 0 || plain.status > 999) {
    throw new KeylessError(
      "diagnosis/invalid",
      "diagnose needs { status }: an HTTP status, or 0 if there was no response",
      {
        hint: "Pass the response's status, its body and its headers.",
      },
    );
  }
  const result = callCore(() => diagnosis(explainModule(), plain));
  const { cause, message } = result;
  return {
    ...result,
    cause: redact(cause),
    ...(message === undefined ? {} : { message: redact(message) }),
  };
}

/**
 * Converts a failed request to plain data for the core. Reads the options in `names`; default: all.
 */
export function plainFailure(
  failure: Partial<FailedRequest>,
  names: readonly (keyof FailedRequest)[] = Object.keys(CHECKS) as (keyof FailedRequest)[],
): PlainFailure {
  const checks = Object.fromEntries(names.map((name) => [name, CHECKS[name]])) as Checks<FailedRequest>;
  const {
    endpoint,
    status = names.includes("status") ? Number.NaN : 0,
    headers,
    body,
    token,
    now = systemClock.now(),
    deployment,
    wireApi,
    agent,
    env = environment(),
  } = readOptions<Partial<FailedRequest>>(failure, checks, "diagnosis/invalid");
  return {
    ...plainEndpoint(endpoint),
    status,
    headers: headers === undefined ? {} : plainHeaders(headers),
    body: textOf(body),
    token: tokenOf(token) ?? textOf(token),
    now: Number.isFinite(now) ? Math.trunc(now) : undefined,
    deployment,
    wireApi,
    agent,
    env: coreEnvironment(env),
  };
}

const CHECKS: Checks<FailedRequest> = {
  endpoint: endpointCheck,
  status: number,
  headers: {
    expected: "an object, or pairs of names and values",
    fits: (value) =>
      typeof value === "object" && value !== null && (Symbol.iterator in value || object.fits(value)),
  },
  body: anything,
  token: tokenCheck,
  now: finite,
  deployment: text,
  wireApi: text,
  agent: text,
  env: object,
};

/** Splits an endpoint into its URL and, for an `Endpoint`, its settings. */
function plainEndpoint(endpoint: FailedRequest["endpoint"]): {
  endpoint?: string | undefined;
  options?: object;
} {
  if (typeof endpoint !== "object" || endpoint === null || endpoint instanceof URL) {
    return { endpoint: endpoint === undefined || endpoint === null ? undefined : String(endpoint) };
  }
  const { baseUrl, type, apiVersion, scope } = endpoint;
  return { endpoint: textOf(baseUrl), options: { type, apiVersion, scope } };
}

function plainHeaders(headers: NonNullable<FailedRequest["headers"]>): Record<string, string> {
  try {
    const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
    return Object.fromEntries(entries.map(([name, value]) => [String(name), String(value)]));
  } catch {
    throw new KeylessError("diagnosis/invalid", "headers must be pairs of names and values", {
      hint: "Pass response.headers, or an object of strings.",
    });
  }
}
