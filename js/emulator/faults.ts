import { checkFault } from "./check-fault.js";
import type { Fault, FaultHandle, FaultRequest, Faults, RequestMatch } from "./fault-types.js";

interface Entry {
  readonly fault: Fault;
  left: number;
  hits: number;
}

/** The remaining faults, in the order in which they were added. */
export class FaultQueue implements Faults {
  #entries: Entry[] = [];

  add(original: Fault): FaultHandle {
    const fault = checkFault(original);
    const { times = 1 } = fault;
    const entry: Entry = { fault, left: times === "always" ? Number.POSITIVE_INFINITY : times, hits: 0 };
    this.#entries.push(entry);
    const remove = () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
    return {
      get hits() {
        return entry.hits;
      },
      remove,
    };
  }

  clear(): void {
    this.#entries = [];
  }

  /** Whether a fault for this server looks at the body of the request. */
  readsBody(server: FaultRequest["server"]): boolean {
    return this.#entries.some(
      ({ fault: { server: own, match } }) =>
        own === server && match !== undefined && typeof match !== "string",
    );
  }

  /** Returns the fault for a request, and counts it as used. */
  take(request: FaultRequest): Fault | undefined {
    const entry = this.#entries.find(({ fault }) => applies(fault, request));
    if (!entry) return undefined;
    entry.hits += 1;
    entry.left -= 1;
    if (entry.left <= 0) this.#entries = this.#entries.filter((other) => other !== entry);
    return entry.fault;
  }
}

function applies(fault: Fault, request: FaultRequest): boolean {
  const { server, match } = fault;
  if (server !== request.server) return false;
  if (match === undefined) return true;
  try {
    return typeof match === "function" ? match(request) : fits(match, request);
  } catch {
    // A predicate that throws does not match.
    return false;
  }
}

function fits(match: string | RequestMatch, request: FaultRequest): boolean {
  const {
    path,
    model,
    deployment,
    body,
    user,
    headers = {},
  } = typeof match === "string" ? { path: match } : match;
  return (
    (path === undefined || `${request.path}?${request.query}`.includes(path)) &&
    (model === undefined || request.model === model) &&
    (deployment === undefined || request.deployment === deployment) &&
    (user === undefined || request.users.includes(user)) &&
    Object.entries(headers).every(([name, value]) => request.headers[name.toLowerCase()] === value) &&
    (body === undefined || hasBody(body, request.body))
  );
}

function hasBody(wanted: NonNullable<RequestMatch["body"]>, body: string): boolean {
  return typeof wanted === "string" ? body.includes(wanted) : wanted(JSON.parse(body)) === true;
}
