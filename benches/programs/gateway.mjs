// Measures what a proxy adds to a request: to a whole answer and to the first byte of a stream, each
// beside the same request without it, in turns; then requests at 64 at once, to a resource that
// answers at once and to one that takes 20 ms; and memory at rest, and in the middle and at the end of
// many requests.

import { statSync } from "node:fs";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes, residentBytesBelow } from "../../tests/support/processes.mjs";
import { KEY, startProxy, startUpstream } from "../gateway/proxies.mjs";
import { report } from "./systems.mjs";

const [name, requests = "4000", seconds = "4"] = process.argv.slice(2);
const bodyOf = (stream) => JSON.stringify({ model: "gpt-5.5", input: "x".repeat(300), stream });
const BODIES = { true: bodyOf(true), false: bodyOf(false) };
const BLOCK = 100;
const AT_ONCE = 64;
/** Requests of the load after which memory is read. */
const LOAD = Number(requests) * 25;
/** A slow proxy gets fewer of them. */
const LOAD_MS = 40_000;
const MIB = 2 ** 20;

const agent = new Agent({ keepAlive: true, noDelay: true, maxSockets: AT_ONCE });
const DIRECT = { authorization: "Bearer token-of-the-bench" };

/** Sends one request. Resolves with the milliseconds to its end, or to the first byte. */
function ask(url, headers, stream) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let first;
    const sent = request(`${url}/openai/v1/responses`, {
      method: "POST",
      agent,
      headers: {
        "content-type": "application/json",
        "content-length": BODIES[stream].length,
        accept: stream ? "text/event-stream" : "application/json",
        ...headers,
      },
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      response.once("data", () => {
        first = performance.now() - began;
      });
      response.on("data", () => {});
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode !== 200) reject(new Error(`HTTP ${response.statusCode}`));
        resolve(stream ? first : performance.now() - began);
      });
    });
    sent.end(BODIES[stream]);
  });
}

const at = (times, share) => times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * share)];

/** The times with the proxy and without, in turns, so that a busy machine slows both. */
async function beside(direct, proxied, count, stream) {
  const times = { direct: [], proxied: [] };
  for (let done = 0; done < count; done += BLOCK) {
    for (let index = 0; index < BLOCK; index += 1) times.direct.push(await ask(direct, DIRECT, stream));
    for (let index = 0; index < BLOCK; index += 1)
      times.proxied.push(await ask(proxied, { "api-key": KEY, authorization: `Bearer ${KEY}` }, stream));
  }
  return (share) => at(times.proxied, share) - at(times.direct, share);
}

/** Microseconds of each request with 64 at once. */
async function crowded(url, headers) {
  const until = performance.now() + Number(seconds) * 1_000;
  const began = performance.now();
  let done = 0;
  const one = async () => {
    while (performance.now() < until) {
      await ask(url, headers, false);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return ((performance.now() - began) * 1_000) / done;
}

/** Sends so many requests with 64 at once, if there is time for all. */
async function load(url, headers, count) {
  const until = performance.now() + LOAD_MS;
  let left = count;
  const one = async () => {
    while (left > 0 && performance.now() < until) {
      left -= 1;
      await ask(url, headers, false);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

const memoryOf = ({ pid }) => (residentBytes(pid) + residentBytesBelow(pid)) / MIB;

const [fast, slow] = [await startUpstream(0), await startUpstream(20)];
process.on("exit", () => {
  for (const { child } of [fast, slow]) child.kill();
});
if (name === "direct") {
  for (let index = 0; index < 500; index += 1) await ask(fast.url, DIRECT, false);
  report({ fastUs: await crowded(fast.url, DIRECT), slowUs: await crowded(slow.url, DIRECT) });
} else {
  const headers = { "api-key": KEY, authorization: `Bearer ${KEY}` };
  const began = performance.now();
  const proxy = await startProxy(name, fast.url);
  for (;;) {
    const answered = await ask(proxy.url, headers, false).catch(() => undefined);
    if (answered !== undefined) break;
    if (performance.now() - began > 60_000) throw new Error(`${name} does not answer`);
    await sleep(1);
  }
  const startMs = performance.now() - began;
  await sleep(1_000);
  const idleMib = memoryOf(proxy.child);
  await beside(fast.url, proxy.url, 500, false);
  const whole = await beside(fast.url, proxy.url, Number(requests), false);
  const first = await beside(fast.url, proxy.url, Number(requests) / 4, true);
  const fastUs = await crowded(proxy.url, headers);
  await load(proxy.url, headers, LOAD / 2);
  const halfMib = memoryOf(proxy.child);
  await load(proxy.url, headers, LOAD / 2);
  const loadedMib = memoryOf(proxy.child);
  await proxy.stop();
  const toSlow = await startProxy(name, slow.url);
  while ((await ask(toSlow.url, headers, false).catch(() => undefined)) === undefined) await sleep(10);
  const slowUs = await crowded(toSlow.url, headers);
  await toSlow.stop();
  report({
    p50: whole(0.5),
    p99: whole(0.99),
    firstP50: first(0.5),
    sizeMb: proxy.program && statSync(proxy.program).size / 1e6,
    startMs,
    idleMib,
    loadedMib,
    grownMib: loadedMib - halfMib,
    fastUs,
    slowUs,
  });
}
process.exit();
