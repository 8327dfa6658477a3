// Measures the Functions app under load, beside two handlers after the SDK's guide "Azure managed
// identity with BYOK", which has none for Functions. "kept": credential and client are kept, a token
// and a session for each call, as its class for servers does. "each call": its short sample, put into
// a handler as it is. `node benches/functions.mjs [--requests 1000] [--peer-requests 1000] [--warm
// 200] [--at-once 100] [--only ours|warm|direct|kept|each]`. Needs Linux, because it reads memory from /proc.
// "each call" starts a runtime for each call: 100 at once need some 10 GB. All run in the same small
// host, each in its own process, against the same emulator: the figures compare them and say nothing
// about Azure.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startEmulator } from "copilot-keyless/emulator";
import { descendantsOf } from "../tests/support/processes.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "1000" },
    "peer-requests": { type: "string", default: "1000" },
    warm: { type: "string", default: "200" },
    "at-once": { type: "string", default: "100" },
    only: { type: "string" },
  },
});

const COLD_STARTS = 5;
const WARM = Number(values.warm);
const CONCURRENT = Number(values["at-once"]);
const LOAD_AT_ONCE = 10;

const ours = (options) => `
import { app } from "@azure/functions";
import { createChatHandler } from "copilot-keyless/azure-functions";
app.setup({ enableHttpStream: true });
app.http("chat", { methods: ["POST"], handler: createChatHandler(${options}) });
`;

/** Both peers; they differ in when they make `credential` and `client`, and in what they end. */
const peer = ({ once, before, after }) => `
import { app } from "@azure/functions";
import { DefaultAzureCredential } from "@azure/identity";
import { CopilotClient } from "@github/copilot-sdk";
// Not in the guide: without a DNS resolver, each start of the SDK's client would block the
// process for seconds (js/copilot/process-report.ts).
process.report.excludeNetwork = true;
app.setup({ enableHttpStream: true });
${once}
async function handler(request) {
  const { prompt } = await request.json();
  ${before}
  const { token } = await credential.getToken(process.env.FOUNDRY_TOKEN_SCOPE);
  const session = await client.createSession({
    model: process.env.FOUNDRY_MODEL_NAME,
    streaming: true,
    availableTools: [],
    onPermissionRequest: () => ({ kind: "reject" }),
    provider: { type: "openai", wireApi: "responses", baseUrl: process.env.FOUNDRY_RESOURCE_URL + "/openai/v1/", bearerToken: token },
  });
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      const say = (event, data) => controller.enqueue(encoder.encode("event: " + event + "\\ndata: " + JSON.stringify(data) + "\\n\\n"));
      session.on("assistant.message_delta", ({ data }) => say("delta", { text: data.deltaContent }));
      await session.sendAndWait({ prompt });
      say("done", {});
      controller.close();
      await session.disconnect();
      ${after}
    },
  });
  return { headers: { "content-type": "text/event-stream" }, body };
}
app.http("chat", { methods: ["POST"], handler });
`;

const MADE = `const credential = new DefaultAzureCredential();
  const client = new CopilotClient({ useLoggedInUser: false });`;
const KEPT = peer({ once: MADE, before: "", after: "await client.deleteSession(session.sessionId);" });
const EACH = peer({ once: "", before: MADE, after: "await client.stop();" });

function appFolder(code) {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-bench-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", main: "main.js" }));
  writeFileSync(join(folder, "host.json"), JSON.stringify({ version: "2.0" }));
  writeFileSync(join(folder, "main.js"), code);
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/copilot-keyless"));
  for (const scope of ["@azure", "@github"])
    symlinkSync(join(root, "node_modules", scope), join(folder, "node_modules", scope));
  return folder;
}

async function start(folder, env) {
  const home = mkdtempSync(join(tmpdir(), "copilot-keyless-bench-home-"));
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, "scripts/functions-host.mjs"), folder, "0"], {
    env: { PATH: process.env.PATH, HOME: home, COPILOT_HOME: join(home, "copilot"), TMPDIR: home, ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await new Promise((resolve) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text = (text + chunk).slice(-2_000);
      const found = /^listening (\S+)/m.exec(text)?.[1];
      if (found) resolve(found);
    });
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  };
  return { url, pid: child.pid, began, stop };
}

/** Sends one request. Returns the milliseconds to the first chunk of the reply and to its end. */
async function ask({ url }, prompt) {
  const began = performance.now();
  const response = await fetch(`${url}/api/chat`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ prompt }),
    signal: AbortSignal.timeout(300_000),
  });
  let first;
  let text = "";
  for await (const chunk of response.body) {
    first ??= performance.now();
    text += Buffer.from(chunk).toString();
  }
  const ok = response.status === 200 && text.includes("event: done") && text.includes("event: delta");
  return { ok, first: first - began, total: performance.now() - began };
}

/**
 * Returns the memory of a process and its children in MB (each shared page counted by its share),
 * and how many processes they are.
 */
function memory(pid) {
  const pids = [pid, ...descendantsOf(pid)];
  const kilobytes = pids.reduce((sum, one) => {
    try {
      return sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      return sum;
    }
  }, 0);
  return { megabytes: Math.round(kilobytes / 1024), processes: pids.length };
}

/** Returns a percentile of the times in a field. */
const percentile = (rows, field, share) => {
  const times = rows.map((row) => row[field]).sort((a, b) => a - b);
  return ms(times[Math.min(times.length - 1, Math.floor(times.length * share))]);
};
const ms = (number) => `${Math.round(number)} ms`;

async function measure(name, code, requests) {
  const emulator = await startEmulator({ chunkDelayMs: 0 });
  const folder = appFolder(code);
  const figures = { handler: name };
  const cold = [];
  for (let round = 0; round < COLD_STARTS; round += 1) {
    const app = await start(folder, emulator.env);
    const asked = performance.now();
    const { first } = await ask(app, "Hello");
    cold.push({ first, sinceStart: asked - app.began + first });
    await app.stop();
  }
  const note = (text) => console.error(`${name}: ${text}`);
  note("cold starts done");
  figures["cold request, first byte"] = percentile(cold, "first", 0.5);
  figures["the same, from the start of the process"] = percentile(cold, "sinceStart", 0.5);
  const app = await start(folder, emulator.env);
  await ask(app, "Hello");
  const warm = [];
  for (let index = 0; index < WARM; index += 1) warm.push(await ask(app, `Warm ${index}`));
  const warmly = (field) => [0.5, 0.99].map((share) => percentile(warm, field, share)).join(", ");
  figures["warm p50, p99 (first byte)"] = warmly("first");
  figures["warm p50, p99 (whole)"] = warmly("total");
  note("warm requests done");
  const began = performance.now();
  const together = await Promise.all(
    Array.from({ length: CONCURRENT }, (_, index) =>
      ask(app, `At once ${index}`).catch(() => ({ ok: false })),
    ),
  );
  const answered = together.filter(({ ok }) => ok).length;
  figures[`${CONCURRENT} at once`] = `${answered} answered in ${ms(performance.now() - began)}`;
  note(`${CONCURRENT} at once done`);
  const before = emulator.counts.identity;
  let next = 0;
  let lost = 0;
  await Promise.all(
    Array.from({ length: LOAD_AT_ONCE }, async () => {
      while (next < requests) {
        next += 1;
        const { ok } = await ask(app, `Load ${next}`).catch(() => ({ ok: false }));
        if (!ok) lost += 1;
      }
    }),
  );
  const { megabytes, processes } = memory(app.pid);
  figures[`after ${requests} more`] = `${megabytes} MB in ${processes} processes, ${lost} lost`;
  figures["identity requests for these"] = emulator.counts.identity - before;
  await app.stop();
  rmSync(folder, { recursive: true, force: true });
  await emulator.stop();
  return figures;
}

for (const [name, , code, requests] of [
  ["copilot-keyless", "ours", ours(""), Number(values.requests)],
  ["copilot-keyless, warmUp", "warm", ours("{ warmUp: true }"), Number(values.requests)],
  [
    "copilot-keyless, warmUp and direct",
    "direct",
    ours(`{ warmUp: true, credential: "direct" }`),
    Number(values.requests),
  ],
  ["SDK's guide, credential and client kept", "kept", KEPT, Number(values["peer-requests"])],
  ["SDK's guide, a client for each call", "each", EACH, Number(values["peer-requests"])],
].filter(([, which]) => values.only === undefined || values.only === which))
  console.log(JSON.stringify(await measure(name, code, requests), null, 2));
