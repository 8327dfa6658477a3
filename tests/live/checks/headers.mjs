// What the headers of all those responses say. Sends nothing.

import { parseChallenge } from "copilot-keyless";
import { judged, judgedLive, untried } from "../verdict.mjs";

const LIMITS = ["limit-requests", "limit-tokens", "remaining-requests", "remaining-tokens"];
/** `Date` counts whole seconds, and the response took its time. */
const CLOCK_ERROR_MS = 3_000;

export const HEADERS = [
  {
    name: "headers of a rate limit",
    claim: "a 200 has x-ratelimit-limit-* and x-ratelimit-remaining-*, and no retry-after",
    files: ["js/emulator/errors.ts"],
    expected: `${LIMITS.map((name) => `x-ratelimit-${name}`).join(", ")}; no retry-after`,
    async run(context) {
      const answers = context.responses.filter(({ status }) => status === 200);
      if (answers.length === 0) return untried("no request was answered with 200");
      const [{ headers }] = answers;
      const limits = [...headers].filter(([name]) => /^(x-ratelimit-|retry-after)/.test(name));
      const seen =
        limits.map(([name, value]) => `${name}: ${context.clean(value, 40)}`).join(", ") || "none of them";
      const holds = LIMITS.every((name) => headers.has(`x-ratelimit-${name}`)) && !headers.has("retry-after");
      return judgedLive(context, holds, seen, "the emulator sends them with a 429 only");
    },
  },
  {
    name: "other headers of a 200",
    claim: "each response has an id for a support case, in apim-request-id or x-ms-request-id",
    files: ["js/emulator/http.ts"],
    expected: "one of the two, in every response",
    async run({ responses, redactor }) {
      const answered = responses.filter(({ status }) => status > 0);
      if (answered.length === 0) return untried("no request was answered");
      const without = answered.filter(
        ({ headers }) => !headers.has("apim-request-id") && !headers.has("x-ms-request-id"),
      );
      const ok = answered.find(({ status }) => status === 200) ?? answered[0];
      const names = redactor.clean([...ok.headers.keys()].sort().join(", "), 900);
      const seen = `${without.length} of ${answered.length} without one; names of HTTP ${ok.status}: ${names}`;
      return judged(without.length === 0, seen);
    },
  },
  {
    name: "challenge of a 401",
    claim: "a 401 for a wrong token demands no claims in www-authenticate",
    files: ["docs/reference/tested.md"],
    expected: "no claims",
    async run({ responses, redactor }) {
      const refused = responses.filter(({ status }) => status === 401);
      if (refused.length === 0) return untried("no request was answered with 401");
      const challenges = refused.map(({ name, headers }) => [name, headers.get("www-authenticate")]);
      const told = challenges.map(
        ([name, header]) => `${name}: ${header ? redactor.clean(namesIn(header)) : "none"}`,
      );
      const claims = challenges.filter(([, header]) => parseChallenge(header).claims !== undefined);
      return judged(claims.length === 0, told.join("; "));
    },
  },
  {
    name: "clock",
    claim: "each response of the resource has a Date, from which the error of this clock is read",
    files: ["js/tokens/clock-skew.ts"],
    expected: "a Date in every response, all of them within seconds of each other",
    async run({ responses }) {
      const answered = responses.filter(({ status }) => status > 0);
      if (answered.length === 0) return untried("no request was answered");
      const skews = answered.map(({ skewMs }) => skewMs).filter((skew) => skew !== undefined);
      const [least, most] = [Math.min(...skews), Math.max(...skews)];
      const seen = `${skews.length} of ${answered.length} with a Date; this clock is ${seconds(-most)} to ${seconds(-least)} ahead`;
      return judged(skews.length === answered.length && most - least <= CLOCK_ERROR_MS, seen);
    },
  },
];

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** Returns the scheme and the names of the parameters of a challenge, without their values. */
function namesIn(header) {
  const [scheme = "?"] = /^[A-Za-z]+/.exec(header) ?? [];
  const names = header.replaceAll(/"[^"]*"/g, '""').matchAll(/([A-Za-z_]+)=""/g);
  return [scheme, ...[...names].map(([, name]) => name)].join(" ");
}
