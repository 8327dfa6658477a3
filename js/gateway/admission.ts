// Asks the rules what to do with a request, and which headers of an answer pass. Needs no Node.

import type { GatewayRefusalCode } from "../errors/codes.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { Dialect, Gateway as Rules } from "../wasm/modules/gateway.js";
import { passing, toText } from "./header-text.js";

/** A request, as the rules need it. */
export interface Incoming {
  method: string;
  /** Path and query. */
  target: string;
  /** Alternating names and values. */
  headers: readonly string[];
}

/** A request to the resource. */
export interface Forward {
  kind: "forward";
  dialect: Dialect;
  /** Path and query. */
  target: string;
  /** Whether it asks a model. */
  isTurn: boolean;
  /** Alternating names and values, without keys. */
  headers: string[];
}

/** What to do with a request. */
export type Admission =
  | Forward
  | { kind: "health" | "empty" }
  | { kind: "refuse"; dialect: Dialect; code: GatewayRefusalCode };

/** Checks a request and finds its route. */
export function admit(rules: Rules, { method, target, headers }: Incoming): Admission {
  const lines = rules.admit(method, target, toText(headers)).split("\n") as [
    Admission["kind"],
    Dialect,
    string,
    string,
    string,
  ];
  const [kind, dialect] = lines;
  switch (kind) {
    case "forward": {
      const [, , isTurn, digits, to] = lines;
      return { kind, dialect, target: to, isTurn: isTurn === "true", headers: passing(headers, digits) };
    }
    case "refuse":
      return { kind, dialect, code: lines[2] as GatewayRefusalCode };
    default:
      return { kind };
  }
}

/** Returns the headers of an answer that the client receives. */
export function answerHeaders(headers: readonly string[]): string[] {
  return passing(headers, gatewayModule().responseHeaders(toText(headers)));
}
