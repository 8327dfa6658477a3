import type { Context, Hono } from "hono";
import { KeylessError } from "../errors/keyless-error.js";
import { redact } from "../errors/redact.js";
import { unknownField } from "./check-reply.js";
import type { MovableClock } from "./clock.js";
import type { Fault, FaultHandle } from "./fault-types.js";
import type { FaultQueue } from "./faults.js";
import { type AppEnv, readBody } from "./http.js";
import { isObject, type Json } from "./json.js";
import type { RequestLog } from "./log.js";
import type { ReplyQueue, ScriptedReply } from "./replies.js";
import type { Resource } from "./resource.js";
import type { TokenSelection } from "./revocations.js";
import type { TokenAuthority } from "./tokens.js";

/** What the control API changes and shows. */
export interface ControlSettings {
  readonly clock: MovableClock;
  readonly log: RequestLog;
  readonly faults: FaultQueue;
  readonly replies: ReplyQueue;
  readonly resource: Resource;
  readonly tokens: TokenAuthority;
  /** Restores what the options said, and forgets faults, replies and requests. */
  reset(): void;
  /** The environment of a process that uses the emulator. */
  env(): Readonly<Record<string, string>>;
}

/** The path of the control API on the port of the resource. */
export const CONTROL_PATH = "/_emulator";

const BODY_LIMIT = 1024 * 1024;
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i;

/** Answers a call with a JSON object. */
type Operation = (body: Json, id: string) => object;

/**
 * Adds the control API, for tests in other languages. It takes JSON, and calls from this machine
 * only: the server listens on loopback, and calls of web pages are refused.
 */
export function addControl(app: Hono<AppEnv>, settings: ControlSettings): void {
  const handles = new Map<string, FaultHandle>();
  const operations = operationsOf(settings, handles);
  app.all(`${CONTROL_PATH}/:name?/:id?`, async (c) => {
    try {
      const { name = "", id = "" } = c.req.param();
      const key = `${c.req.method} ${[CONTROL_PATH, name, id && ":id"].filter(Boolean).join("/")}`;
      const operation = Object.hasOwn(operations, key) ? operations[key] : undefined;
      if (isFromPage(c))
        return answer(c, 403, failure("emulator/invalid-option", "Web pages may not call this."));
      if (!operation) {
        const known = Object.keys(operations).join(", ");
        return answer(c, 404, failure("emulator/invalid-option", `There is no ${key}; there are: ${known}.`));
      }
      return answer(c, 200, operation(c.req.method === "POST" ? await bodyOf(c) : {}, id));
    } catch (error) {
      if (!(error instanceof KeylessError)) throw error;
      return answer(c, 400, failure(error.code, error.message, error.hint));
    }
  });
}

function operationsOf(
  { clock, log, faults, replies, resource, tokens, reset, env }: ControlSettings,
  handles: Map<string, FaultHandle>,
): Record<string, Operation> {
  let added = 0;
  const handle = (id: string) => {
    const found = handles.get(id);
    if (!found) throw invalid(`There is no fault ${id}.`);
    return found;
  };
  return {
    "GET /_emulator": () => ({
      env: env(),
      roles: resource.roles,
      deployments: resource.deployments,
      counts: log.counts,
    }),
    "GET /_emulator/requests": () => ({ requests: log.records }),
    "POST /_emulator/faults": (body) => {
      added += 1;
      handles.set(String(added), faults.add(body as unknown as Fault));
      return { id: String(added) };
    },
    "GET /_emulator/faults/:id": (_body, id) => ({ hits: handle(id).hits }),
    "DELETE /_emulator/faults/:id": (_body, id) => {
      handle(id).remove();
      return {};
    },
    "DELETE /_emulator/faults": () => {
      faults.clear();
      return {};
    },
    "POST /_emulator/replies": (body) => {
      replies.add(body as unknown as ScriptedReply);
      return {};
    },
    "DELETE /_emulator/replies": () => {
      replies.clear();
      return {};
    },
    "POST /_emulator/roles": (body) => {
      known(body, ["roles"]);
      resource.setRoles(body.roles as string[]);
      return {};
    },
    "POST /_emulator/deployments": (body) => {
      known(body, ["deployments"]);
      resource.setDeployments(body.deployments as string[]);
      return {};
    },
    "POST /_emulator/quota": ({ deployment, ...quota }) => {
      resource.setQuota(deployment as string, Object.keys(quota).length === 0 ? undefined : quota);
      return {};
    },
    "POST /_emulator/revoke": (body) => {
      known(body, ["token", "clientId", "principalId"]);
      const { token, ...selection } = body;
      if (token === undefined) return { revoked: tokens.revokeAll(selection as TokenSelection) };
      if (typeof token !== "string") throw invalid("`token` must be a string.");
      return { revoked: tokens.revoke(token) ? 1 : 0 };
    },
    "POST /_emulator/clock": (body) => {
      known(body, ["advanceMs"]);
      clock.advance(body.advanceMs as number);
      return { now: clock.now() };
    },
    "POST /_emulator/reset": (body) => {
      known(body, []);
      reset();
      handles.clear();
      return {};
    },
  };
}

/** Whether a web page may have sent a request: across origins, or to a name that leads here. */
function isFromPage(c: Context<AppEnv>): boolean {
  return c.req.header("origin") !== undefined || !LOOPBACK.test(c.req.header("host") ?? "");
}

async function bodyOf(c: Context<AppEnv>): Promise<Json> {
  const text = await readBody(c, BODY_LIMIT);
  try {
    const body: unknown = text === "" ? {} : JSON.parse(text);
    if (isObject(body)) return body;
  } catch {
    // Below.
  }
  throw invalid("The body must be a JSON object.");
}

function known(body: Json, fields: readonly string[]): void {
  const unknown = unknownField(body, fields);
  if (unknown !== undefined) {
    throw invalid(`There is no field \`${unknown}\`; there is ${fields.join(", ") || "none"}.`);
  }
}

function invalid(sentence: string): KeylessError {
  return new KeylessError("emulator/invalid-option", sentence);
}

function failure(code: string, message: string, hint?: string): Json {
  return { error: { code, message: redact(message), ...(hint === undefined ? {} : { hint }) } };
}

function answer(c: Context<AppEnv>, status: 200 | 400 | 403 | 404, body: object): Response {
  return c.body(JSON.stringify(body), status, { "content-type": "application/json" });
}
