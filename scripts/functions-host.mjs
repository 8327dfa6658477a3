// A small Functions host for one app on this machine: `node scripts/functions-host.mjs <app folder> [--port 7071]`.
//
// It loads the app as the Node.js worker does: it is itself the module "@azure/functions-core" that @azure/functions asks for,
// imports the entry point that package.json names, asks the programming model for its capabilities, and forwards each HTTP request to
// the server that the library runs for streams while it invokes the function. No storage, no keys, HTTP triggers only.

import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import Module from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** Headers that end at each hop. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Starts an app and serves it. Resolves to its address and the way to end it. */
export async function startHost(folder, { port = 0, log = () => {} } = {}) {
  const core = coreModule(log);
  const { main } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { extensions } = JSON.parse(readFileSync(join(folder, "host.json"), "utf8"));
  const prefix = extensions?.http?.routePrefix ?? "api";
  await import(pathToFileURL(join(folder, main)).href);
  await core.run("appStart", { hookData: {}, appHookData: {}, functionAppDirectory: folder });
  const capabilities = (await core.model().getCapabilities?.({})) ?? {};
  const routes = [...core.functions.values()].map(({ metadata, callback }) => {
    const trigger = Object.values(metadata.bindings).find(({ type }) => type === "httpTrigger");
    return { metadata, callback, trigger, path: `/${prefix}/${trigger?.route ?? metadata.name}` };
  });
  // A body in chunks of one byte would wait here as an object for every byte.
  const server = createServer({ highWaterMark: 4_096 }, (request, response) => {
    serve(request, response, { core, routes, httpUri: capabilities.HttpUri }).catch((error) => {
      log("error", String(error?.stack ?? error));
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise((listening, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", listening);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    routes: routes.map(({ path, trigger }) => `${trigger?.methods?.join(", ") ?? "ANY"} ${path}`),
    async close() {
      await core.run("appTerminate", { hookData: {}, appHookData: {} });
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What the worker offers to @azure/functions under the name "@azure/functions-core". */
function coreModule(log) {
  const functions = new Map();
  const hooks = {};
  let model;
  class Disposable {
    constructor(dispose) {
      this.dispose = dispose;
    }
  }
  const api = {
    version: "3.10.0",
    hostVersion: "4.1000.0",
    Disposable,
    log: (level, category, message) => log(level, message, category),
    registerFunction: (metadata, callback) => {
      if (functions.has(metadata.name)) throw new Error(`The function ${metadata.name} exists already`);
      functions.set(metadata.name, { metadata, callback });
      return new Disposable(() => functions.delete(metadata.name));
    },
    registerHook: (name, callback) => {
      hooks[name] ??= [];
      hooks[name].push(callback);
      return new Disposable(() => {
        hooks[name] = hooks[name].filter((other) => other !== callback);
      });
    },
    setProgrammingModel: (given) => {
      model = given;
    },
    getProgrammingModel: () => model,
  };
  const { require } = Module.prototype;
  Module.prototype.require = function (name) {
    return name === "@azure/functions-core" ? api : require.call(this, name);
  };
  return {
    functions,
    log,
    model: () => model,
    run: async (name, context) => {
      for (const callback of hooks[name] ?? []) await callback(context);
    },
  };
}

/** One request: forwarded to the worker's own server and invoked, as the host does both. */
async function serve(request, response, { core, routes, httpUri }) {
  const { pathname, search } = new URL(request.url, "http://localhost");
  const found = routes.filter(({ path }) => path.toLowerCase() === pathname.toLowerCase());
  const route = found.find(({ trigger }) => trigger.methods?.includes(request.method) ?? true);
  if (!route) {
    response.writeHead(found.length > 0 ? 405 : 404).end();
    return;
  }
  const invocationId = randomUUID();
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  if (!httpUri) throw new Error("This host serves apps with app.setup({ enableHttpStream: true }) only");
  const forwarded = forward(request, response, new URL(`${pathname}${search}`, httpUri), invocationId);
  await Promise.all([forwarded, invoke(core, route, invocationId, headers)]);
}

function forward(request, response, url, invocationId) {
  return new Promise((done) => {
    const kept = Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name));
    const onward = httpRequest(url, {
      method: request.method,
      agent: false,
      headers: {
        ...Object.fromEntries(kept),
        ...(request.headers["transfer-encoding"] ? { "transfer-encoding": "chunked" } : {}),
        "x-ms-invocation-id": invocationId,
        "x-forwarded-host": request.headers.host ?? "localhost",
        "x-forwarded-proto": "http",
      },
    });
    onward.on("response", (answer) => {
      for (const [name, value] of Object.entries(answer.headers))
        if (!HOP_BY_HOP.has(name)) response.setHeader(name, value);
      response.writeHead(answer.statusCode);
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
      answer.on("close", done);
    });
    onward.on("error", () => {
      // An answer that has begun goes on, although the worker reads no more of the request.
      if (response.headersSent) return;
      response.writeHead(502).end();
      done();
    });
    // The caller has left: so does the host.
    response.on("close", () => {
      if (!response.writableFinished) onward.destroy();
      done();
    });
    request.on("aborted", () => onward.destroy());
    request.pipe(onward);
  });
}

async function invoke(core, { metadata, callback }, invocationId, headers) {
  const [name] = Object.entries(metadata.bindings).find(([, { type }]) => type === "httpTrigger");
  const coreContext = {
    invocationId,
    metadata,
    request: {
      invocationId,
      functionId: metadata.name,
      inputData: [{ name, data: { string: "" } }],
      triggerMetadata: { Headers: { json: JSON.stringify(headers) }, Query: { json: "{}" } },
      traceContext: {
        traceParent:
          headers.traceparent ?? `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`,
        traceState: "",
        attributes: {},
      },
    },
    log: (level, category, message) => core.log(level, message, category),
  };
  const invocation = await core.model().getInvocationModel(coreContext);
  const { context, inputs } = await invocation.getArguments();
  const hooked = { hookData: {}, appHookData: {}, invocationContext: context, inputs };
  const before = { ...hooked, functionCallback: callback };
  await core.run("preInvocation", before);
  const after = { ...hooked, inputs: before.inputs, result: null, error: null };
  try {
    after.result = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error;
  }
  coreContext.state = "postInvocationHooks";
  await core.run("postInvocation", after);
  coreContext.state = undefined;
  if (after.error) throw after.error;
  await invocation.getResponse(context, after.result);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: "string", default: "7071" } },
  });
  const host = await startHost(resolve(positionals[0] ?? "."), {
    port: Number(values.port),
    log: (level, message) => console.log(`[${level}] ${message}`),
  });
  for (const route of host.routes) console.log(`${route}  ${host.url}`);
  console.log(`listening ${host.url}`);
  const end = () => host.close().then(() => process.exit(0));
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}
