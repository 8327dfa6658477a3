// Plans the faults and their times: a pure function of the seed and the length. Times in
// milliseconds from the start.

import { randomOf } from "./random.mjs";

/** No faults at first, so that every session can begin. */
const CALM_AT_FIRST_MS = 8_000;
/** No faults at the end, so that interrupted work can end. */
const CALM_AT_LAST_MS = 20_000;

/**
 * Longer than callers wait for a token (15 s): a hang that ends, which tests late answers as well.
 */
const HANG_MS = [16_000, 22_000];

/**
 * An expiry that MSAL does not take for the far future, such as "12e400": it would keep that token
 * for good.
 */
const MALFORMED = ["never", "", "06/20/2019 02:57:58 +00:00", -1, null, [], { seconds: 15 }];

/** The episodes of a track follow one another; the tracks overlap. */
const TRACKS = {
  // The pause is longer than any between two attempts of one acquisition, so episodes do not share
  // one.
  identity: {
    pause: [6_000, 18_000],
    draws: [
      (random) => windowed(random, { kind: "status", status: 429, ...retryAfter(random) }, 2_000, 8_000),
      (random) => windowed(random, { kind: "status", status: random.pick([500, 503]) }, 2_000, 9_000),
      (random) => windowed(random, { kind: "reset" }, 2_000, 9_000),
      (random) => counted({ kind: "delay", delayMs: random.whole(...HANG_MS) }, 1, 24_000),
      (random) => windowed(random, { kind: "delay", delayMs: random.whole(200, 3_000) }, 5_000, 15_000),
      (random) => counted({ kind: "malformed-expiry", expiresOn: random.pick(MALFORMED) }, 2, 12_000),
      (random) => counted({ kind: "expired" }, random.whole(1, 2), 12_000),
    ],
  },
  foundry: {
    pause: [2_000, 8_000],
    draws: [
      (random) => counted({ kind: "status", status: 429, ...retryAfter(random) }, random.whole(1, 12), 6_000),
      (random) => counted({ kind: "status", status: random.pick([500, 503]) }, random.whole(1, 12), 6_000),
      (random) => windowed(random, { kind: "status", status: random.pick([500, 503]) }, 1_000, 7_000),
      (random) => counted({ kind: "reset" }, random.whole(1, 8), 6_000),
      (random) => counted({ kind: "cut-stream", afterEvents: random.whole(0, 9) }, random.whole(1, 6), 6_000),
      (random) => counted({ kind: "delay", delayMs: random.whole(200, 4_000) }, random.whole(1, 12), 6_000),
      (random) => counted({ kind: "hang" }, random.whole(1, 2), 6_000),
    ],
  },
  access: {
    pause: [6_000, 30_000],
    draws: [
      () => ({ act: "revoke", forMs: 0 }),
      () => ({ act: "revoke", forMs: 0 }),
      (random) => ({ act: "roles-away", forMs: random.whole(1_000, 5_000) }),
    ],
  },
};

/** Returns every episode of a run, sorted by its start. */
export function planOf({ seed, minutes }) {
  const end = minutes * 60_000 - CALM_AT_LAST_MS;
  const episodes = [];
  for (const [track, { pause, draws }] of Object.entries(TRACKS)) {
    const random = randomOf(seed, track);
    let at = CALM_AT_FIRST_MS + random.whole(0, pause[1]);
    for (;;) {
      const episode = random.pick(draws)(random);
      if (at + episode.forMs > end) break;
      episodes.push({ at, track, ...episode });
      at += episode.forMs + random.whole(...pause);
    }
  }
  return episodes.sort((one, other) => one.at - other.at);
}

/** Formats an episode as a line. */
export function lineOf({ at, track, act, forMs, fault }) {
  const what = fault ? `${fault.kind} ${JSON.stringify(detailsOf(fault))}` : act;
  return `${(at / 1000).toFixed(1).padStart(7)} s  ${track.padEnd(8)}  ${what}${forMs ? ` for ${forMs / 1000} s at most` : ""}`;
}

function detailsOf({ kind, times, ...rest }) {
  return { ...rest, ...(times === Number.POSITIVE_INFINITY ? {} : { times }) };
}

/** A fault that every request meets for some time. */
function windowed(random, fault, least, most) {
  const times = Number.POSITIVE_INFINITY;
  return { act: "fault", forMs: random.whole(least, most), fault: { ...fault, times } };
}

/** A fault that a number of requests meet, unless they come too late. */
function counted(fault, times, forMs) {
  return { act: "fault", forMs, fault: { ...fault, times } };
}

function retryAfter(random) {
  return { headers: { "retry-after": String(random.whole(1, 2)) } };
}
