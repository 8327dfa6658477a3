// Serves a chat handler by each kind of server, as docs/guides/http-server.md shows it. Each returns
// a Node server that listens.

import { createServer } from "node:http";
import { serve } from "@hono/node-server";
import { toNodeListener } from "copilot-keyless/http";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";

const listening = { port: 0, hostname: "127.0.0.1" };

export const adapters = {
  async node(chat, health) {
    const listeners = { "/api/chat": toNodeListener(chat), "/api/health": toNodeListener(health) };
    return createServer((request, response) => {
      const listener = listeners[request.url];
      return listener ? listener(request, response) : response.writeHead(404).end();
    }).listen(0, "127.0.0.1");
  },

  async express(chat, health) {
    const app = express();
    app.all("/api/chat", toNodeListener(chat));
    app.get("/api/health", toNodeListener(health));
    return app.listen(0, "127.0.0.1");
  },

  async fastify(chat, health) {
    const app = fastify();
    const [onChat, onHealth] = [toNodeListener(chat), toNodeListener(health)];
    app.register(async (scope) => {
      // The handler reads the body itself.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
      scope.all("/api/chat", (request, reply) => {
        reply.hijack();
        return onChat(request.raw, reply.raw);
      });
    });
    app.get("/api/health", (request, reply) => {
      reply.hijack();
      return onHealth(request.raw, reply.raw);
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server;
  },

  async hono(chat, health) {
    const app = new Hono();
    app.all("/api/chat", (c) => chat(c.req.raw));
    app.get("/api/health", () => health());
    return serve({ fetch: app.fetch, ...listening });
  },

  /** A handler that a platform calls with a Request: Next.js, Deno, Bun, workers. */
  async fetch(chat, health) {
    const fetch = (request) => (new URL(request.url).pathname === "/api/chat" ? chat(request) : health());
    return serve({ fetch, ...listening });
  },
};
