// Serves one Azure Functions app on this machine: `node scripts/functions-host.mjs <app folder>
// [port]`.
//
// It loads the app as the Node.js worker does: it provides the module "@azure/functions-core" for
// @azure/functions, imports the entry point that package.json names, and forwards each HTTP request
// to the library's own server for streams while it invokes the function. It has no storage, keys or
// invocation hooks, and supports only HTTP triggers with `enableHttpStream`.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import Module from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { proxy } from "hono/proxy";

const [folder = ".", port = "7071"] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(resolve(folder, file), "utf8"));
const functions = [];
const hooks = { appStart: [], appTerminate: [] };
/** The API that the worker provides to the app's library. */
const core = {
  version: "3.10.0",
  hostVersion: "4.1000.0",
  Disposable: class {},
  log: (level, _category, message) => console.log(`[${level}] ${message}`),
  registerFunction: (metadata, callback) => functions.push({ metadata, callback }),
  registerHook: (name, callback) => hooks[name]?.push(callback),
  setProgrammingModel: (model) => Object.assign(core, { getProgrammingModel: () => model }),
};
const { require } = Module.prototype;
Module.prototype.require = function (name) {
  return name === "@azure/functions-core" ? core : require.call(this, name);
};
const emit = async (event) => {
  for (const hook of hooks[event]) await hook({ hookData: {}, appHookData: {} });
};
await import(pathToFileURL(resolve(folder, read("package.json").main)).href);
await emit("appStart");
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => emit("appTerminate").then(() => process.exit(0)));

const { HttpUri } = await core.getProgrammingModel().getCapabilities({});
const prefix = read("host.json").extensions?.http?.routePrefix ?? "api";
const app = new Hono({ getPath: ({ url }) => new URL(url).pathname.toLowerCase() });
const paths = functions.map(({ metadata, callback }) => {
  const bindings = Object.entries(metadata.bindings);
  const [name, trigger] = bindings.find(([, { type }]) => type === "httpTrigger");
  const path = `/${prefix}/${trigger.route ?? metadata.name}`.toLowerCase();
  app.on(trigger.methods ?? ["ALL"], path, ({ req: { raw } }) => {
    const invocationId = randomUUID();
    const forwarded = forward(raw, invocationId);
    const invoked = invoke({ metadata, name, callback, invocationId, headers: raw.headers });
    return Promise.race([forwarded, invoked.then(() => forwarded)]);
  });
  return path;
});
for (const path of paths) app.all(path, (c) => c.body(null, 405));
app.onError((error, c) => {
  if (!c.req.raw.signal.aborted) console.error(error);
  return c.body(null, 502);
});
// Merge small chunks: a body in chunks of one byte would need an object for every byte.
const serverOptions = { highWaterMark: 4_096 };
const listening = { hostname: "127.0.0.1", port: Number(port), overrideGlobalObjects: false, serverOptions };
serve({ fetch: app.fetch, ...listening }, ({ port }) =>
  console.log(`${paths.join(" ")}\nlistening http://127.0.0.1:${port}`),
);

/** Sends a request to the app's own server. */
function forward(raw, invocationId) {
  const { pathname, search, host } = new URL(raw.url);
  const added = { "x-ms-invocation-id": invocationId, "x-forwarded-host": host, "x-forwarded-proto": "http" };
  const headers = { ...Object.fromEntries(raw.headers), ...added };
  // The first four are hop-by-hop headers, and `fetch` rejects the last.
  for (const name of ["connection", "te", "trailer", "upgrade", "expect"]) delete headers[name];
  return proxy(new URL(pathname + search, HttpUri), { raw, headers });
}

/** Invokes a function. It reads the body from the app's own server, and the headers from here. */
async function invoke({ metadata, name, callback, invocationId, headers }) {
  const trace = invocationId.replaceAll("-", "");
  const request = {
    inputData: [{ name }],
    triggerMetadata: { Headers: { json: JSON.stringify(Object.fromEntries(headers)) } },
    traceContext: { traceParent: headers.get("traceparent") ?? `00-${trace}-${trace.slice(16)}-01` },
  };
  const given = { invocationId, metadata, request, log: core.log };
  const invocation = await core.getProgrammingModel().getInvocationModel(given);
  const { context, inputs } = await invocation.getArguments();
  await invocation.getResponse(context, await invocation.invokeFunction(context, inputs, callback));
}
