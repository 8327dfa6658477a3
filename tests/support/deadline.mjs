// `node --expose-gc deadline.mjs <api> <address> <mode>`: calls an API with a timeout of 600 ms
// during constant garbage collection, and prints its duration and result. The process ends by
// itself only when no connection is open. Modes: `timeout`; `deaf`, a platform whose fetch ignores
// signals; `signal`, a caller's signal that aborts after 600 ms; `any` and `platform`, signals from
// platform functions.

import { createDirectCredential, probe, streamChat } from "copilot-keyless/direct";

const [api, address, mode] = process.argv.slice(2);
const MS = 600;

const collect =
  globalThis.gc ??
  globalThis.Bun?.gc.bind(undefined, true) ??
  (() => Array.from({ length: 1e5 }, () => ({})));
setInterval(collect, 10).unref?.();

if (mode === "deaf") {
  const { fetch } = globalThis;
  globalThis.fetch = (url, { signal: _, ...init }) => fetch(url, init);
}
const LIMITS = {
  signal: () => ({ signal: aborting() }),
  any: () => ({ signal: AbortSignal.any([aborting(), new AbortController().signal]) }),
  platform: () => ({ signal: AbortSignal.timeout(MS) }),
};
const limit = LIMITS[mode] ?? (() => ({ timeoutMs: MS }));

/** Returns a signal whose controller only its timer references. */
function aborting() {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("aborted")), MS);
  return controller.signal;
}

const APIS = {
  async streamChat() {
    for await (const _ of streamChat({ endpoint: `${address}/openai/v1/`, prompt: "x", ...limit() }));
  },
  async probe() {
    const { code } = await probe({ endpoint: `${address}/openai/v1/`, model: "gpt-5.5", ...limit() });
    throw Object.assign(new Error("diagnosed"), { code });
  },
  async credential() {
    const { signal, timeoutMs } = limit();
    const env = { IDENTITY_ENDPOINT: `${address}/token`, IDENTITY_HEADER: "header" };
    const credential = createDirectCredential({ source: "app-service", env, timeoutMs });
    await credential.getToken("https://ai.azure.com/.default", { abortSignal: signal });
  },
};

const began = performance.now();
const { code, message } = await APIS[api]().then(
  () => ({ code: "nothing" }),
  (error) => error,
);
console.log(
  JSON.stringify({ ms: performance.now() - began, code: typeof code === "string" ? code : message }),
);
