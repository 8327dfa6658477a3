// Serves a chat and its page: `node server.mjs [port]`. Endpoint, model and credential come from the
// environment.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { createChatHandler, createHealthHandler, toNodeListener } from "copilot-keyless/http";

const cookieOf = (cookies) => /(?:^|; )visitor=([\w-]{36})(?:;|$)/.exec(cookies ?? "")?.[1];

const chat = createChatHandler({
  // Each browser is a caller, by the cookie that the page sets. In its place put your own sign-in: a
  // function that returns the user's id, or false.
  authorize: ({ headers }) => cookieOf(headers.get("cookie")) ?? false,
  systemMessage: "You are a helpful assistant. Answer briefly, in plain text.",
  resumeMs: 30_000,
  onLog: (entry) => console.log(JSON.stringify(entry)),
});

const file = (name, type) => {
  const body = readFileSync(fileURLToPath(import.meta.resolve(name)));
  return (request, response) => {
    if (cookieOf(request.headers.cookie) === undefined)
      response.setHeader("set-cookie", `visitor=${randomUUID()}; HttpOnly; SameSite=Strict; Path=/`);
    response.writeHead(200, {
      "content-type": `${type}; charset=utf-8`,
      "content-security-policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
    });
    response.end(body);
  };
};

const routes = {
  "/": file("./public/index.html", "text/html"),
  "/chat.js": file("./public/chat.js", "text/javascript"),
  "/chat.css": file("./public/chat.css", "text/css"),
  "/http-client.js": file("copilot-keyless/http-client", "text/javascript"),
  "/chat": toNodeListener(chat),
  "/health": toNodeListener(createHealthHandler(chat)),
};

const server = createServer((request, response) => {
  const route = Object.hasOwn(routes, request.url) ? routes[request.url] : undefined;
  if (route) route(request, response);
  else response.writeHead(404).end();
});

server.listen(Number(process.argv[2] ?? process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`listening http://127.0.0.1:${server.address().port}`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    // Running replies may end; new ones are answered 503, and so is the health check.
    await chat.close({ drainMs: 10_000 });
    server.close();
    server.closeAllConnections();
  });
}
