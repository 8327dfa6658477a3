// The file of `gateway --config`: faults with their line, and its schema beside the options.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parseGatewayConfig } from "../../../js/cli/gateway-config.js";
import { readGatewayOptions } from "../../../js/gateway/options.js";
import { root } from "../../support/process.js";
import { faults } from "./gateway-config-faults.js";

test("the crate of the native gateway has a copy of the schema", () => {
  const [own, copy] = ["schema/gateway.json", "crates/gateway/schema.json"].map((file) =>
    readFileSync(join(root, file), "utf8"),
  );
  expect(copy).toBe(own);
});

const schema = JSON.parse(readFileSync(join(root, "schema/gateway.json"), "utf8"));
const parse = (text: string, file = "/etc/ck/gateway.toml") =>
  parseGatewayConfig(text, file, schema, { HOME: "/home/u", AZURE_CLIENT_ID: "a" });

const TOML = `
port = 4141
keyFile = "key"
allowHosts = ["gateway.internal"]
log = "json"

[limits]
maxRequests = 64

[[backends]]
name = "east"
endpoint = "https://east.openai.azure.com"
models = ["gpt-5.5"]
weight = 3

[[backends]]
endpoint = "https://west.openai.azure.com"
priority = 1
credential = "direct"
env.AZURE_CLIENT_ID = "b"
`;

test("TOML and JSON give the options of createGateway", () => {
  const { options, log } = parse(TOML);
  expect(log).toBe("json");
  expect(options).toEqual({
    port: 4141,
    keyFile: "/etc/ck/key",
    allowHosts: ["gateway.internal"],
    limits: { maxRequests: 64 },
    backends: [
      { name: "east", endpoint: "https://east.openai.azure.com", models: ["gpt-5.5"], weight: 3 },
      {
        endpoint: "https://west.openai.azure.com",
        priority: 1,
        credential: "direct",
        env: { HOME: "/home/u", AZURE_CLIENT_ID: "b" },
      },
    ],
  });
  const { keyFile: _, ...rest } = options;
  expect(
    readGatewayOptions(rest as never).backends.map(({ weight, priority }) => [weight, priority]),
  ).toEqual([
    [3, 0],
    [1, 1],
  ]);
  const json = JSON.stringify({ $schema: "./schema.json", ...rest, backends: undefined, log: "none" });
  expect(parse(json, "gateway.json")).toEqual({
    options: { port: 4141, allowHosts: ["gateway.internal"], limits: { maxRequests: 64 } },
    log: "none",
  });
});

test.each(faults)("%j is refused: %s", (text, message, hint, file = "f.toml") => {
  const refused = () => parse(text, file);
  expect(refused).toThrow(message);
  try {
    refused();
  } catch (error) {
    expect(error).toMatchObject({ code: "gateway/config", hint: expect.stringContaining(hint) });
  }
});

test("the guide's file is valid", () => {
  const guide = readFileSync(join(root, "docs/guides/gateway.md"), "utf8");
  const [, sample = ""] = /```toml\n(.*?)```/s.exec(guide) ?? [];
  expect(parse(sample).options.backends?.map(({ name }) => name)).toEqual([
    "reserved",
    "overflow",
    "overflow-west",
  ]);
});

test("a fault does not show a secret", () => {
  expect(() => parse("[headers]\nkey = sk-secret-value")).toThrow(/^(?!.*secret-value)/s);
  expect(() => parse("port = 'sk-secret-value'")).toThrow(/^(?!.*secret-value)/s);
});

describe("the schema", () => {
  test("is a JSON Schema, and judges as the command line does", () => {
    const valid = new Ajv2020({ strict: true }).compile(schema);
    for (const [text, , , file = "f.toml"] of faults) {
      if (!file.endsWith(".json")) continue;
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        continue;
      }
      expect(valid(value), text).toBe(false);
    }
    expect(valid({ port: 1, limits: { idleMs: 5 }, backends: [{ endpoint: "x", env: { A: "b" } }] })).toBe(
      true,
    );
  });

  test("has the limits and the options of createGateway that are plain data", () => {
    const limits = Object.keys(schema.$defs.limits.properties);
    expect(Object.keys(readGatewayOptions({}).limits).sort()).toEqual(limits.sort());
    const options = Object.keys(schema.properties).filter(
      (name) => !["$schema", "log", "keyFile"].includes(name),
    );
    for (const name of options)
      expect(() => readGatewayOptions({ [name]: Symbol("no") } as never)).toThrow(name);
    for (const name of Object.keys(schema.$defs.backend.properties)) {
      const backends = [{ endpoint: "x", [name]: Symbol("no") }];
      expect(() => readGatewayOptions({ backends } as never)).toThrow(name);
    }
  });
});
