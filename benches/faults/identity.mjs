// Faults of the identity endpoint: before a token expires, after it has, and after the outage.

import { setTimeout as sleep } from "node:timers/promises";

const MINUTE = 60_000;
const SECOND = 1_000;
/** Longer than the pause of getBearerTokenProvider between two attempts. */
const IDLE_MS = 3_500;
const MB = 1 << 20;

const PARTY = /identity|credential|token/i;

/** `cause` has patterns that an error must match. Without it, the fault must cause no error. */
const FAULTS = [
  ["identity-400", "400", status(400), [/\b400\b|refused|bad request/i]],
  ["identity-404", "404", status(404), [/\b404\b|not found/i]],
  // MSAL may wait longer than callers do, without an error: then the only finding is that no answer
  // came.
  ["identity-410", "410", status(410), [/\b410\b|gone|not? answer within/i]],
  [
    "identity-429",
    "429 without Retry-After",
    { kind: "body", status: 429, body: { statusCode: 429, message: "Too many requests." } },
    [/\b429\b|throttl|too many|fewer requests/i],
  ],
  [
    "identity-429-retry-after",
    "429 with Retry-After: 30",
    { ...status(429), headers: { "retry-after": "30" } },
    // As above: MSAL waits as long as `Retry-After` says.
    [/\b429\b|throttl|too many|fewer requests|not? answer within/i],
  ],
  ["identity-500", "500", status(500), [/\b500\b|server error/i]],
  ["identity-503", "503", status(503), [/\b503\b|unavailable/i]],
  ["identity-reset", "connection reset", { kind: "reset" }, [/reset|cannot be reached|network|socket/i]],
  ["identity-hang", "no answer (hang)", { kind: "hang" }, [/no answer|time[d -]?out|within \d+/i]],
  ["identity-slow-body", "body takes 5 s", { kind: "slow-body", delayMs: 5 * SECOND }],
  [
    "identity-cut-body",
    "body cut in half",
    { kind: "cut-stream" },
    [/cut|reset|aborted|hang up|ended|network|reached|incomplete/i],
  ],
  [
    "identity-not-json",
    "HTML in the place of JSON",
    { kind: "body", body: "<!doctype html><title>Sign in to the network</title>" },
    [/JSON|parse|cannot be read/i],
  ],
  [
    "identity-wrong-types",
    "fields of wrong types",
    { kind: "body", body: { access_token: 42, expires_on: {}, resource: [], token_type: null } },
    [/\btypes?\b|cannot be (read|parsed)|no token|access_token|expir|malformed/i],
  ],
  ["identity-expired", "token already expired", { kind: "expired" }, [/expired/i]],
  [
    "identity-dateless",
    "token without an expiry",
    { kind: "malformed-expiry", expiresOn: undefined },
    [/expir/i],
  ],
  [
    "identity-10-mb",
    "body of 10 MB",
    { kind: "body", body: { padding: "x".repeat(10 * MB) } },
    [/large|KiB|MB|no token|access_token|expir/i],
  ],
];

function status(code) {
  return { kind: "status", status: code };
}

export const IDENTITY = [
  ...FAULTS.map(([id, title, fault, cause]) => ({
    id,
    title,
    script: (cell) => outage(cell, fault, cause && [PARTY, ...cause]),
  })),
  // MSAL cannot read it, and reports that the token expires now.
  { id: "identity-date", title: "expiry as a date of App Service 2017-09-01", script: unreadByMsal },
].map((fault) => ({ group: "identity", ...fault }));

/**
 * Makes three calls, half an hour apart; the endpoint writes the expiry in this format each time.
 */
async function unreadByMsal(cell) {
  for (let n = 0; n < 3; n += 1) {
    const expiresOn = halfDayDate(new Date(cell.now + 60 * MINUTE));
    const oddity = cell.fault({ server: "identity", kind: "malformed-expiry", expiresOn });
    await cell.call();
    await cell.advance(30 * MINUTE);
    oddity.remove();
  }
}

/** Such as `1/16/2020 5:24:12 AM +00:00`. */
function halfDayDate(at) {
  const hours = at.getUTCHours();
  const time = [hours % 12 || 12, ...at.toISOString().slice(14, 19).split(":")].join(":");
  const day = [at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCFullYear()].join("/");
  return `${day} ${time} ${hours < 12 ? "AM" : "PM"} +00:00`;
}

/**
 * An hour's token still works 90 s before it expires, so no call may fail. Then it expires without
 * any calls, and the next call cannot succeed. After the fault ends, the next call must succeed.
 */
async function outage(cell, fault, cause = []) {
  await cell.call();
  await cell.advance(58.5 * MINUTE);
  const trouble = cell.fault({ server: "identity", ...fault });
  await cell.call();
  await cell.call();
  await cell.advance(100 * SECOND);
  await sleep(IDLE_MS);
  await cell.call(...cause);
  trouble.remove();
  await cell.advance(MINUTE);
  await cell.call();
}
