// A worker of workerd: bundle it, with target/pkg/ from wasm-bindgen.

import { initSync, TokenSource } from "./target/pkg/tokens.js";
import module from "./target/pkg/tokens_bg.wasm";

initSync({ module });

/** @type {TokenSource | undefined} One for all requests. */
let tokens;

export default {
  async fetch(_request, env, context) {
    tokens ??= new TokenSource(env.IDENTITY_ENDPOINT, env.IDENTITY_HEADER, "https://ai.azure.com/.default");
    const token = await within(20_000, tokens.token());
    // A refresh that began with this request goes on after it.
    context.waitUntil(within(40_000, tokens.idle()));
    return new Response(`a token of ${token.length} characters`);
  },
};

/**
 * Waits for a promise that another request may resolve. The timer tells workerd that this request waits, and
 * is not stuck.
 */
async function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no token within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
