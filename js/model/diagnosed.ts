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
import { systemClock } from "../platform/clock.js";
import { tokenOf } from "../tokens/text.js";
import { callCore, planModule } from "../wasm/bindings.js";
import type { Diagnosis, FailedRequest } from "../wasm/diagnosis.js";
import type { PlainFailure } from "../wasm/modules/plan.js";

/** The core's finding about a request: what was passed in made plain for it, and secrets taken out of the answer's words. */
export function diagnosed(
  failure: FailedRequest,
  judge: (bindings: ReturnType<typeof planModule>, failure: PlainFailure) => Diagnosis,
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
  const diagnosis = callCore(() => judge(planModule(), plain));
  const { cause, message } = diagnosis;
  return {
    ...diagnosis,
    cause: redact(cause),
    ...(message === undefined ? {} : { message: redact(message) }),
  };
}

/** A request, made plain for the core. */
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
  } = readOptions<Partial<FailedRequest>>(failure, checks, "diagnosis/invalid");
  return {
    ...placeOf(endpoint),
    status,
    headers: headers === undefined ? {} : plainHeaders(headers),
    body: textOf(body),
    token: tokenOf(token) ?? textOf(token),
    now: Number.isFinite(now) ? Math.trunc(now) : undefined,
    deployment,
    wireApi,
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
};

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
  for (const written of [JSON.stringify, String]) {
    try {
      return written(value) ?? String(value);
    } catch {
      // It holds itself, or cannot be read.
    }
  }
  return undefined;
}

function plainHeaders(headers: NonNullable<FailedRequest["headers"]>): Record<string, string> {
  try {
    const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
    return Object.fromEntries(entries.map(([name, value]) => [String(name), String(value)]));
  } catch {
    throw new KeylessError("diagnosis/invalid", "headers cannot be read as names and values", {
      hint: "Pass response.headers, or an object of texts.",
    });
  }
}
