// Workers of the Azure Functions app, each a process of its own, behind one address.

import { spawn } from "node:child_process";
import { createServer, request } from "node:http";
import { fileURLToPath } from "node:url";

const HOST = fileURLToPath(new URL("../../scripts/functions-host.mjs", import.meta.url));
const APP = fileURLToPath(new URL("../../examples/azure-functions", import.meta.url));

/** Runs a worker, again when it ends. `port` and `pid` are undefined while it starts. */
export function keepRunning(env, { onStart = () => {}, onEnd = () => {}, onLine = () => {} } = {}) {
  const worker = { port: undefined, pid: undefined, stop: async () => {} };
  const start = () => {
    const child = spawn(process.execPath, [HOST, APP, "0"], { env, stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.once("close", resolve));
    let stopping = false;
    worker.stop = () => {
      stopping = true;
      child.kill("SIGTERM");
      return ended;
    };
    child.stdout.on("data", (chunk) => {
      for (const line of String(chunk).split("\n").filter(Boolean)) {
        const found = /^listening http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (found === undefined) onLine(line);
        else {
          [worker.port, worker.pid] = [Number(found), child.pid];
          onStart(child.pid);
        }
      }
    });
    ended.then((code) => {
      [worker.port, worker.pid] = [undefined, undefined];
      if (stopping) return;
      onEnd(code);
      start();
    });
  };
  start();
  return worker;
}

/** Sends each request to the next worker that runs. */
export async function balance(workers, port = 0) {
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const running = workers.filter((worker) => worker.port !== undefined);
    const worker = running[turn++ % running.length];
    if (!worker) return void outgoing.writeHead(503, { "retry-after": "1" }).end();
    const { method, url, headers } = incoming;
    const forwarded = request({ host: "127.0.0.1", port: worker.port, method, path: url, headers });
    forwarded.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.on("error", () => outgoing.destroy()).pipe(outgoing);
    });
    // A worker that was killed cuts its answers.
    forwarded.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise((listening, fail) => server.once("error", fail).listen(port, "127.0.0.1", listening));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/api/chat`, stop };
}
