// Compares the gateway's reading of targets with another reader of URLs, that of the platform
// (WHATWG): what is forwarded has one reading, at the resource's own host.

import { expect, test } from "vitest";
import { admit } from "../../../js/gateway/admission.js";
import { gatewayModule } from "../../../js/wasm/gateway-bindings.js";
import { KEY } from "./support.js";

const ORIGIN = "https://myres.services.ai.azure.com";
/** Parts of targets, from harmless to hostile. The harmless ones are there more often. */
const PIECES = [
  ..."/ / / / /openai /v1 /openai/v1 /anthropic /messages /responses /chat/completions /deployments/d".split(
    " ",
  ),
  ..."/openai /v1 /openai/v1 /responses /models /files/f-1 /api/projects/p a b-1 .x ~ ! $ ' ( ) * + , : @ =".split(
    " ",
  ),
  ...`? & api-version=2024-10-21 api-version x=1 %20 %41 %2e %2E %2f %5c %25 %00 %zz % \\ ; # | [ ] { } ^ \` " < >`.split(
    " ",
  ),
  ..."// .. . /../ /./ ..; http:// https:// 127.0.0.1 evil.example @evil.example :8080 é \t \n \0".split(" "),
];

/** Reproducible numbers from 0 to 1: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("every forwarded target is read as it is by WHATWG's URL, at the resource's host", () => {
  const { Gateway } = gatewayModule();
  const rules = new Gateway(`${ORIGIN}/api/projects/p/openai/v1/`, KEY, [], []);
  const headers = ["host", "127.0.0.1", "api-key", KEY];
  const next = random(1);
  const seen: Record<string, number> = {};
  for (let index = 0; index < 200_000; index += 1) {
    const length = 1 + Math.floor(next() * 7);
    const target = Array.from({ length }, () => PIECES[Math.floor(next() * PIECES.length)]).join("");
    const admission = admit(rules, { method: "POST", target, headers });
    const kind = admission.kind === "refuse" ? admission.code : admission.kind;
    seen[kind] = (seen[kind] ?? 0) + 1;
    if (admission.kind !== "forward") continue;
    const { target: forwarded } = admission;
    const { origin, pathname, search, hash, username } = new URL(ORIGIN + forwarded);
    const [path = "", query] = forwarded.split(/\?(.*)/s, 2);
    const read = { origin, path: pathname, query: search, hash, username };
    // Queries pass as they are; the other reader writes an apostrophe there as %27, and no lone `?`.
    const expected = query ? `?${query.replaceAll("'", "%27")}` : "";
    expect(read, target).toEqual({ origin: ORIGIN, path, query: expected, hash: "", username: "" });
    // The path of a dated route, of Anthropic's or of the project, and no other.
    expect(path, target).toMatch(/^\/(openai\/|anthropic\/v1\/|api\/projects\/)/);
  }
  rules.free();
  expect(seen.forward).toBeGreaterThan(5_000);
  for (const code of ["bad-path", "double-slash", "other-host", "unknown-path"])
    expect(seen[`gateway/${code}`], code).toBeGreaterThan(50);
});
