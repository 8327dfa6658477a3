// Publishes the packed package to a registry of this test, with a repository filled in.

import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { expect, test } from "vitest";
import { newcomer, run } from "../support/process.js";
import { installed } from "./support.js";

test("npm derives homepage and bugs from the repository in package.json, and shows the README", async () => {
  const home = join(installed(), "node_modules/copilot-keyless");
  const file = join(home, "package.json");
  const { version, ...manifest } = JSON.parse(readFileSync(file, "utf8"));
  expect(manifest).not.toHaveProperty("homepage");
  expect(manifest).not.toHaveProperty("bugs");
  const repository = { type: "git", url: "git+https://github.com/an-owner/a-name.git" };
  writeFileSync(file, JSON.stringify({ ...manifest, version, repository }));

  let published: { versions: Record<string, object> } | undefined;
  const registry = createServer(async (request, response) => {
    if (request.method === "PUT") published = (await json(request)) as typeof published;
    response.writeHead(published ? 201 : 404, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  const host = `//127.0.0.1:${(registry.address() as AddressInfo).port}/`;
  const args = ["publish", "--ignore-scripts", "--registry", `http:${host}`, `--${host}:_authToken=none`];
  const result = await run("npm", args, { env: newcomer(), cwd: home });
  registry.closeAllConnections();
  registry.close();

  expect(result).toMatchObject({ code: 0 });
  expect(result.stderr).not.toContain("npm warn publish");
  expect(published?.versions[version]).toMatchObject({
    repository,
    homepage: "https://github.com/an-owner/a-name#readme",
    bugs: { url: "https://github.com/an-owner/a-name/issues" },
  });
  expect(JSON.stringify(published)).toContain("npx copilot-keyless chat --demo");
});
