// Serves one Azure Functions app on this machine: `node scripts/functions-host.mjs <app folder> [port]`.
//
// It loads the app as the Node.js worker does: it provides the module "@azure/functions-core" that @azure/functions asks for, imports the
// entry point that package.json names, and forwards each HTTP request to the server that the library runs for streams while it invokes the
// function. No storage, no keys, no hooks around invocations; HTTP triggers with `enableHttpStream` only.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import Module from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { proxy } from "hono/proxy";

/** Headers that end at each hop, and one that `fetch` refuses. */
const NOT_FORWARDED = ["connection", "te", "trailer", "upgrade", "expect"];

const [folder = ".", port = "7071"] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(resolve(folder, file), "utf8"));
const functions = [];
const hooks = [];
let model;
/** What the worker provides. */
const core = {
  version: "3.10.0",
  hostVersion: "4.1000.0",
  Disposable: class {},
  log: (level, _category, message) => console.log(`[${level}] ${message}`),
  registerFunction: (metadata, callback) => functions.push({ metadata, callback }),
  registerHook: (name, callback) => hooks.push({ name, callback }),
  setProgrammingModel: (given) => {
    model = given;
  },
  getProgrammingModel: () => model,
};
const { require } = Module.prototype;
Module.prototype.require = function (name) {
  return name === "@azure/functions-core" ? core : require.call(this, name);
};
const runHooks = async (event) => {
  for (const { name, callback } of hooks)
    if (name === event)
      await callback({ hookData: {}, appHookData: {}, functionAppDirectory: resolve(folder) });
};
await import(pathToFileURL(resolve(folder, read("package.json").main)).href);
await runHooks("appStart");
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => runHooks("appTerminate").then(() => process.exit(0)));

const { HttpUri } = await model.getCapabilities({});
const prefix = read("host.json").extensions?.http?.routePrefix ?? "api";
const app = new Hono({ getPath: ({ url }) => new URL(url).pathname.toLowerCase() });
const routes = functions.map(({ metadata, callback }) => {
  const bindings = Object.entries(metadata.bindings);
  const [name, trigger] = bindings.find(([, { type }]) => type === "httpTrigger");
  const path = `/${prefix}/${trigger.route ?? metadata.name}`.toLowerCase();
  app.on(trigger.methods ?? ["ALL"], path, ({ req: { raw } }) => {
    const invocationId = randomUUID();
    const forwarded = forward(raw, invocationId);
    return Promise.race([
      forwarded,
      invoke({ metadata, name, callback, invocationId, raw }).then(() => forwarded),
    ]);
  });
  return path;
});
for (const path of routes) app.all(path, (c) => c.body(null, 405));
app.onError((error, c) => {
  if (!c.req.raw.signal.aborted) console.error(error);
  return c.body(null, 502);
});
// A body in chunks of one byte would wait here as an object for every byte.
const serverOptions = { highWaterMark: 4_096 };
const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false, serverOptions });
await once(server.listen(Number(port), "127.0.0.1"), "listening");
const address = `http://127.0.0.1:${server.address().port}`;
for (const path of routes) console.log(`${address}${path}`);
console.log(`listening ${address}`);

/** Sends a request to the app's own server. */
function forward(raw, invocationId) {
  const { pathname, search, host } = new URL(raw.url);
  const headers = new Headers(raw.headers);
  for (const name of NOT_FORWARDED) headers.delete(name);
  headers.set("x-ms-invocation-id", invocationId);
  headers.set("x-forwarded-host", host);
  headers.set("x-forwarded-proto", "http");
  return proxy(new URL(pathname + search, HttpUri), { raw, headers });
}

/** The app gets the body from its own server, and the headers from here. */
async function invoke({ metadata, name, callback, invocationId, raw: { headers } }) {
  const trace = invocationId.replaceAll("-", "");
  const traceParent = headers.get("traceparent") ?? `00-${trace}-${trace.slice(16)}-01`;
  const request = {
    inputData: [{ name }],
    triggerMetadata: { Headers: { json: JSON.stringify(Object.fromEntries(headers)) } },
    traceContext: { traceParent },
  };
  const invocation = await model.getInvocationModel({ invocationId, metadata, request, log: core.log });
  const { context, inputs } = await invocation.getArguments();
  await invocation.getResponse(context, await invocation.invokeFunction(context, inputs, callback));
}
