// Tests model requests with the platform's own fetch, streams and aborts.

import type { TokenCredential } from "copilot-keyless";
import { probe, streamChat } from "copilot-keyless/direct";
import { createEdgeChatHandler, type EdgeChatOptions } from "copilot-keyless/edge";
import type { Case, Settings } from "../suite.js";
import { check, fail, refused, same } from "./check.js";

const endpointOf = ({ env }: Settings) => env.FOUNDRY_RESOURCE_URL as string;

/** Gets tokens from the suite's server, because a page cannot use the identity endpoint. */
const credentialOf = ({ control }: Settings): TokenCredential => ({
  getToken: async () => (await fetch(`${control}/token`)).json(),
});

const tokenOf = async (settings: Settings) => {
  const given = await credentialOf(settings).getToken("");
  return given ?? fail("no token");
};

async function fault(settings: Settings, given: object): Promise<void> {
  await fetch(`${settings.control}/fault`, { method: "POST", body: JSON.stringify(given) });
}

const asked = (prompt: string, accept = "application/json") =>
  new Request("http://edge.example/chat", {
    method: "POST",
    headers: { "content-type": "application/json", accept },
    body: JSON.stringify({ prompt }),
  });

/** Runs work with a handler and always closes it. */
async function withHandler(
  settings: Settings,
  use: (chat: ReturnType<typeof createEdgeChatHandler>) => Promise<void>,
  options: Partial<EdgeChatOptions> = { credential: credentialOf(settings) },
): Promise<void> {
  const chat = createEdgeChatHandler({ authorize: "anonymous", env: settings.env, ...options });
  try {
    await use(chat);
  } finally {
    chat.close();
  }
}

export const model: readonly Case[] = [
  [
    "`probe`: ok, no token, wrong deployment",
    async (settings) => {
      const endpoint = endpointOf(settings);
      const token = await tokenOf(settings);
      same((await probe({ endpoint, token, model: "gpt-5.5" })).code, "ok");
      same((await probe({ endpoint, model: "gpt-5.5" })).code, "token-invalid");
      same((await probe({ endpoint, token, model: "gpt-9" })).code, "deployment-not-found");
    },
  ],
  [
    "`streamChat`: text as it comes, responses and chat completions",
    async (settings) => {
      for (const wireApi of ["responses", "completions"] as const) {
        const pieces: string[] = [];
        const options = { endpoint: endpointOf(settings), token: await tokenOf(settings), wireApi };
        for await (const text of streamChat({ ...options, prompt: 'Say "päper" ✓' })) pieces.push(text);
        check(pieces.length > 3, `${wireApi}: ${pieces.length} pieces`);
        check(pieces.join("").includes("päper"), pieces.join(""));
      }
    },
  ],
  [
    "`streamChat`: an abort, a loop that is left, refusals",
    async (settings) => {
      const options = { endpoint: endpointOf(settings), token: await tokenOf(settings), prompt: "Hello" };
      const stop = new AbortController();
      const reason = new Error("enough");
      try {
        for await (const _ of streamChat({ ...options, signal: stop.signal })) stop.abort(reason);
        fail("it went on after the abort");
      } catch (error) {
        check(error === reason, String(error));
      }
      for await (const _ of streamChat(options)) break;
      const first = (given: object) => streamChat({ ...options, ...given }).next();
      await refused(() => first({ model: "gpt-9" }), "model/deployment-not-found");
      await refused(() => first({ token: "eyJhbGciOiJub25lIn0.e30." }), "model/token-invalid");
      await refused(() => first({ prompt: " " }), "agent/empty-prompt");
      await refused(() => first({ endpoint: "https://nothing.invalid/v1" }), "model/network");
    },
  ],
  [
    "`createEdgeChatHandler`: JSON and server-sent events",
    (settings) =>
      withHandler(settings, async (chat) => {
        const reply = await (await chat(asked("Hello"))).json();
        check(reply.reply.includes("Hello"), JSON.stringify(reply));
        const response = await chat(asked("Hello", "text/event-stream"));
        same(response.headers.get("content-type")?.startsWith("text/event-stream"), true);
        const text = await response.text();
        check(text.split("event: delta").length > 3 && text.includes("event: done"), text);
      }),
  ],
  [
    "`createEdgeChatHandler`: a rejected token is replaced",
    (settings) =>
      withHandler(settings, async (chat) => {
        await (await chat(asked("Hello"))).text();
        const before = await chat.tokens?.();
        await fetch(`${settings.control}/revoke`, { method: "POST" });
        const response = await chat(asked("And now?"));
        const text = await response.text();
        check(response.status === 200 && text.includes("And now?"), text);
        check((await chat.tokens?.()) !== before, "the token is the old one");
      }),
  ],
  [
    "`createEdgeChatHandler`: errors with codes",
    (settings) =>
      withHandler(settings, async (chat) => {
        await fault(settings, { server: "foundry", kind: "status", status: 429 });
        const limited = await chat(asked("Hello"));
        same([limited.status, (await limited.json()).code], [503, "model/rate-limited"]);
        const empty = await chat(asked(""));
        same(empty.status, 400);
        check((await empty.json()).code.startsWith("chat/"), "no code");
      }),
  ],
  [
    "`createEdgeChatHandler`: a caller of the app's own, a deadline, half a character",
    async (settings) => {
      const authorize = async ({ headers }: Request) => headers.get("x-user") ?? false;
      const credential = credentialOf(settings);
      await withHandler(
        settings,
        async (chat) => {
          same((await chat(asked("Hello"))).status, 401);
          const request = asked("cut \ud83d");
          request.headers.set("x-user", "ann");
          const { reply } = await (await chat(request)).json();
          check(reply.includes("cut \ufffd"), reply);
        },
        { authorize, credential },
      );
      const hangs: TokenCredential = { getToken: () => new Promise(() => {}) };
      await withHandler(
        settings,
        async (chat) => {
          const response = await chat(asked("Hello"));
          same([response.status, (await response.json()).code], [504, "chat/timeout"]);
          same(chat.status().turns, 0);
        },
        { credential: hangs, timeoutMs: 200 },
      );
    },
  ],
  [
    "direct credential: `createEdgeChatHandler`",
    (settings) =>
      withHandler(
        settings,
        async (chat) => {
          await chat.tokens?.();
          const response = await chat(asked("Hello"));
          same(response.status, 200);
          check((await response.text()).includes("Hello"), "another reply");
        },
        { tokens: { policy: { waitTimeoutMs: 5_000 } } },
      ),
  ],
];
