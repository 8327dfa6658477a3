// The component for a JavaScript host: transpiled by jco, and adapted to this package's API.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transpile } from "@bytecodealliance/jco-transpile";
import {
  type AccessToken,
  type Diagnosis,
  type Endpoint,
  type FailedRequest,
  type FoundryProviderOptions,
  KeylessError,
  type ProviderPlan,
} from "copilot-keyless";
import { afterAll } from "vitest";
import { coreEnvironment } from "../../js/platform/environment.js";
import type { Decision, Outcome } from "../../js/wasm/modules/core.js";
import { root } from "../support/process.js";
import type { Now, ScheduleHost } from "../support/tables.js";

export const path = join(root, "dist/component.wasm");

/** The component's interfaces, as jco names them. Its 64-bit integers are bigints. */
interface Interfaces {
  expiry: { parseTokenResponse(response: string, requestedAt: bigint, utcOffsetMinutes?: number): unknown };
  endpoint: { parseEndpoint(url: string, options: object): unknown };
  provider: { planProvider(request: object): unknown };
  diagnosis: { diagnose(failure: object): unknown; diagnoseCredential(failure: object): unknown };
  schedule: { Schedule: { create(policy: object): WitSchedule } };
  simulate: { simulateRefresh(scenario: object): unknown };
}

interface Variant {
  tag: string;
  val?: unknown;
}

interface WitSchedule {
  request(now: object): Variant;
  refresh(now: object): Variant;
  wake(now: object): object | undefined;
  nextWake(now: object): bigint | undefined;
  acquired(flight: number, answer: object, now: object, random: number): Variant;
  failed(flight: number, failure: object, now: object, random: number): Variant;
  timedOut(flight: number, now: object, random: number): Variant;
  rejectedAgain(flight: number, now: object, random: number): Variant;
  invalidate(now: object): boolean;
  challenged(now: object): boolean;
  close(): void;
  status(now: object): object;
}

/** Transpiles and instantiates the component, which imports nothing. */
export async function transpiled(): Promise<Interfaces> {
  const { files } = await transpile(path, { name: "component", instantiation: "sync" });
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-jco-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const [name, bytes] of Object.entries(files))
    if (!name.endsWith(".d.ts")) writeFileSync(join(folder, name), bytes);
  const { instantiate } = await import(pathToFileURL(join(folder, "component.js")).href);
  return instantiate((name: string) => new Module(readFileSync(join(folder, name))), {});
}

/** Node's types lack it. */
const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } })
  .WebAssembly;

/**
 * Converts a result of the component to that of this package: numbers for bigints, no undefined
 * fields.
 */
export function plain<T>(value: unknown): T {
  if (typeof value === "bigint") return Number(value) as T;
  if (Array.isArray(value) || value instanceof Uint32Array) return Array.from(value, plain) as T;
  if (typeof value !== "object" || value === null) return value as T;
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(fields.map(([name, inner]) => [name, plain(inner)])) as T;
}

/** Calls the component. Throws a KeylessError in place of the record that jco throws. */
function decide<T>(call: () => unknown): T {
  try {
    return plain(call());
  } catch (error) {
    if (error instanceof Error) throw error;
    const { code, message, hint } = error as KeylessError;
    throw new KeylessError(code, message, { hint });
  }
}

const big = (value: number | undefined) => (value === undefined ? undefined : BigInt(value));
const pairs = (record: object | null | undefined) => Object.entries(record ?? {});

/** This package's functions, implemented by the component. */
export class ComponentCore {
  readonly interfaces: Interfaces;

  constructor(interfaces: Interfaces) {
    this.interfaces = interfaces;
  }

  parseTokenResponse(
    response: string | object,
    { requestedAt, utcOffsetMinutes }: { requestedAt: number; utcOffsetMinutes: number | undefined },
  ): AccessToken {
    const text = typeof response === "string" ? response : JSON.stringify(response);
    const { expiry } = this.interfaces;
    return decide(() => expiry.parseTokenResponse(text, BigInt(requestedAt), utcOffsetMinutes));
  }

  parseEndpoint(url: string, options: object = {}): Endpoint {
    return decide(() => this.interfaces.endpoint.parseEndpoint(url, options));
  }

  planProvider({ credential, env, headers, ...request }: FoundryProviderOptions) {
    const wit = {
      ...request,
      headers: pairs(headers),
      ownCredential: Boolean(credential),
      env: pairs(coreEnvironment(env ?? {})),
    };
    const { provider } = this.interfaces;
    const plan = decide<Omit<ProviderPlan, "config"> & { config: WitConfig }>(() =>
      provider.planProvider(wit),
    );
    const { apiVersion, headers: sent, ...config } = plan.config;
    return {
      ...plan,
      config: {
        ...config,
        ...(apiVersion === undefined ? {} : { azure: { apiVersion } }),
        ...(sent.length === 0 ? {} : { headers: Object.fromEntries(sent) }),
      },
    };
  }

  diagnose({ headers, now, options = {}, ...failure }: FailedRequest & { options?: object }): Diagnosis {
    const wit = { ...failure, options, headers: pairs(headers), now: big(now) };
    return decide(() => this.interfaces.diagnosis.diagnose(wit));
  }

  diagnoseCredential(failure: { error?: string; status?: number; body?: string }): { code: string } {
    return decide(() => this.interfaces.diagnosis.diagnoseCredential({ errors: [], env: [], ...failure }));
  }

  createSchedule(policy: Record<string, number>): ScheduleHost {
    const fields = Object.fromEntries(Object.entries(policy).map(([name, ms]) => [name, BigInt(ms)]));
    const schedule = decideResource(() => this.interfaces.schedule.Schedule.create(fields));
    const both = ({ wall, mono }: Now) => ({ wall: BigInt(wall), mono: BigInt(mono) });
    return {
      request: (now) => decision(schedule.request(both(now))),
      refresh: (now) => decision(schedule.refresh(both(now))),
      wake: (now) => plain(schedule.wake(both(now))),
      nextWake: (now) => plain(schedule.nextWake(both(now))),
      acquired: (flight, { requested, expiresOn, refreshAfter }, now, random) => {
        const answer = {
          requested: both(requested),
          expiresOn: BigInt(expiresOn),
          refreshAfter: big(refreshAfter),
        };
        return outcome(schedule.acquired(flight, answer, both(now), random));
      },
      failed: (flight, { retryAfterMs, ...failure }, now, random) => {
        const told = { ...failure, retryAfterMs: big(retryAfterMs) };
        return outcome(schedule.failed(flight, told, both(now), random));
      },
      timedOut: (flight, now, random) => outcome(schedule.timedOut(flight, both(now), random)),
      rejectedAgain: (flight, now, random) => outcome(schedule.rejectedAgain(flight, both(now), random)),
      invalidate: (now) => schedule.invalidate(both(now)),
      challenged: (now) => schedule.challenged(both(now)),
      close: () => schedule.close(),
      status: (now) => plain(schedule.status(both(now))),
    };
  }
}

interface WitConfig {
  apiVersion?: string;
  headers: [string, string][];
}

/** Returns a resource unchanged. */
function decideResource<T>(call: () => T): T {
  let resource: T | undefined;
  decide(() => {
    resource = call();
  });
  return resource as T;
}

function decision({ tag, val }: Variant): Decision {
  const payload = tag === "refuse" ? { retryAfterMs: val } : (val as object);
  return plain({ do: tag, ...payload });
}

function outcome({ tag, val }: Variant): Outcome {
  const detail = tag === "retry" ? { afterMs: val } : val;
  return plain({ result: tag, detail });
}
