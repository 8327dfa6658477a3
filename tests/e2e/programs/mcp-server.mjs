// An MCP server over stdio with one tool, `peek`, which says that it ran.

import { createInterface } from "node:readline";

const TOOLS = [{ name: "peek", description: "Peeks", inputSchema: { type: "object", properties: {} } }];

const RESULTS = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "peeking", version: "1" },
  }),
  "tools/list": () => ({ tools: TOOLS }),
  "tools/call": () => ({ content: [{ type: "text", text: "The MCP tool ran" }] }),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const result = RESULTS[method]?.(params ?? {}) ?? {};
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
});
