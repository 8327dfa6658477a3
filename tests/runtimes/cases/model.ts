// Tests model requests with the platform's own fetch, streams and aborts.

import type { TokenCredential } from "copilot-keyless";
import { probe, streamChat } from "copilot-keyless/direct";
import {
  createEdgeChatHandler,
  createEdgeGateway,
  type EdgeChatOptions,
  type EdgeGatewayOptions,
} from "copilot-keyless/edge";
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

const KEY = "key-of-the-suite";

/** Runs work with an edge gateway and always closes it. */
async function withGateway(
  settings: Settings,
  use: (ask: (body: object, headers?: Record<string, string>) => Promise<Response>) => Promise<void>,
  options: Partial<EdgeGatewayOptions> = {},
): Promise<void> {
  const credential = credentialOf(settings);
  const gateway = createEdgeGateway({ key: KEY, env: settings.env, credential, ...options });
  try {
    await use((body, headers = {}) => {
      const init = {
        method: "POST",
        headers: { "api-key": KEY, "content-type": "application/json", ...headers },
      };
      return gateway(
        new Request("http://edge.example/openai/v1/responses", { ...init, body: JSON.stringify(body) }),
      );
    });
  } finally {
    gateway.close();
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
    "`createEdgeGateway`: a turn, a stream, a client that leaves",
    (settings) =>
      withGateway(settings, async (ask) => {
        const reply = await ask({ model: "gpt-5.5", input: "Hello" });
        same(reply.status, 200);
        check((await reply.text()).includes("Hello"), "another reply");
        const response = await ask({ model: "gpt-5.5", input: "And now?", stream: true });
        same(response.headers.get("content-type")?.startsWith("text/event-stream"), true);
        const chunks: string[] = [];
        const text = response.body?.pipeThrough(new TextDecoderStream()) ?? fail("no body");
        for (let reader = text.getReader(); ; ) {
          const { done, value } = await reader.read();
          if (done) break;
          chunks.push(value);
        }
        check(chunks.length > 2 && chunks.join("").includes("response.completed"), chunks.join(""));
        const left = await ask({ model: "gpt-5.5", input: "Never mind", stream: true });
        const reader = left.body?.getReader() ?? fail("no body");
        await reader.read();
        await reader.cancel();
      }),
  ],
  [
    "`createEdgeGateway`: a rejected token is replaced, refusals and a missing role are explained",
    (settings) =>
      withGateway(settings, async (ask) => {
        const body = { model: "gpt-5.5", input: "Hello" };
        await (await ask(body)).text();
        await fetch(`${settings.control}/revoke`, { method: "POST" });
        const answers = await Promise.all([1, 2, 3].map(() => ask(body)));
        for (const answer of answers) check((await answer.text()).includes("Hello"), `${answer.status}`);
        const codeOf = async (response: Response) => [response.status, (await response.json()).error.code];
        same(await codeOf(await ask(body, { "api-key": "another-key-of-16" })), [401, "gateway/wrong-key"]);
        const page = { origin: "https://evil.example" };
        same(await codeOf(await ask(body, page)), [403, "gateway/origin"]);
        await fault(settings, { server: "foundry", kind: "status", status: 403 });
        const refused = await ask(body);
        same([refused.status, refused.headers.get("x-should-retry")], [400, "false"]);
        await refused.body?.cancel();
        await fault(settings, {
          server: "foundry",
          kind: "status",
          status: 429,
          headers: { "retry-after": "7" },
        });
        const limited = await ask(body);
        same([limited.status, limited.headers.get("retry-after")], [429, "7"]);
        await limited.body?.cancel();
      }),
  ],
  [
    "`createEdgeGateway`: a body larger than the buffer, a stream that is cut off",
    (settings) =>
      withGateway(
        settings,
        async (ask) => {
          const long = await ask({ model: "gpt-5.5", input: `Hello ${"x".repeat(100_000)}` });
          check((await long.text()).includes("Hello"), `${long.status}`);
          await fault(settings, { server: "foundry", kind: "cut-stream" });
          const cut = await ask({ model: "gpt-5.5", input: "Hello again", stream: true });
          same(cut.status, 200);
          const ended = await cut.text().then(
            () => true,
            () => false,
          );
          check(!ended, "the stream ended as if it were whole");
        },
        { limits: { bufferBytes: 1_000 } },
      ),
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
