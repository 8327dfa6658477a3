// Tests with the real runtime which tools run: those of the program do, built-in ones and those of
// MCP servers need a permission, whatever they are called.

import { join } from "node:path";
import { defineTool, type PermissionRequest, type SessionConfig, type Tool } from "@github/copilot-sdk";
import { toJsonSchema } from "@valibot/to-json-schema";
import { type AgentOptions, FoundryAgent } from "copilot-keyless";
import * as v from "valibot";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { root } from "../../support/process.js";
import { emulated } from "../support.js";

/** The tool that the emulated model calls, with its arguments; and the results that it got. */
let called = { name: "", arguments: {} as object };
let results: string[] = [];
/** The parameters of the first tool, as the model gets them. */
let parameters: unknown;
await emulated({
  reply: ({ toolResults, tools }) => {
    parameters = tools[0]?.parameters;
    if (toolResults.length === 0) return { toolCalls: [called] };
    results = toolResults.map(({ text }) => text);
    return "Done";
  },
});
const agents: FoundryAgent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));

function agentWith(options: AgentOptions): FoundryAgent {
  const agent = new FoundryAgent({ timeoutMs: 30_000, ...options });
  agents.push(agent);
  return agent;
}

/** Lets the model call a tool. Returns its result as the model got it. */
async function call(
  name: string,
  session: Partial<SessionConfig>,
  options: AgentOptions = {},
  args: object = { command: "echo the shell ran", description: "Echo" },
) {
  called = { name, arguments: args };
  await agentWith({ session, ...options }).chat("Call it");
  return results.join();
}

const own = (name: string, more: Partial<Tool> = {}): Tool => ({
  name,
  description: `Does ${name}`,
  parameters: { type: "object", properties: { command: { type: "string" } } },
  handler: () => "The own tool ran",
  ...more,
});

/** Refuses everything, and notes what it was asked. */
function asking() {
  const asked: string[] = [];
  const onPermissionRequest = (request: PermissionRequest) => {
    asked.push(request.kind);
    // Without a feedback the turn ends here.
    return { kind: "reject" as const, feedback: "Not this one" };
  };
  return { asked, onPermissionRequest };
}

const mcpServers: SessionConfig["mcpServers"] = {
  peeking: {
    type: "stdio",
    command: process.execPath,
    args: [join(root, "tests/e2e/programs/mcp-server.mjs")],
    tools: ["*"],
  },
};

describe.each(["coding", "chat"] as const)("preset %s", (preset) => {
  test("a tool of the program runs", async () => {
    expect(await call("look", { tools: [own("look")] }, { preset })).toBe("The own tool ran");
  });

  test("also where a handler decides on the others, which is not asked for it", async () => {
    const { asked, onPermissionRequest } = asking();
    expect(await call("look", { tools: [own("look")], onPermissionRequest }, { preset })).toBe(
      "The own tool ran",
    );
    expect(asked).toEqual([]);
  });

  test("one that wants a permission is asked for, and denied without a handler", async () => {
    const tools = [own("look", { skipPermission: false })];
    const { asked, onPermissionRequest } = asking();
    expect(await call("look", { tools, onPermissionRequest }, { preset })).toContain("Not this one");
    expect(asked).toEqual(["custom-tool"]);
    expect(await call("look", { tools }, { preset })).toContain("permits");
  });

  test("a tool of an MCP server is asked for, also under the name of an own one", async () => {
    for (const tools of [[], [own("peeking-peek", { overridesBuiltInTool: true })]]) {
      const { asked, onPermissionRequest } = asking();
      const session = { mcpServers, tools };
      expect(await call("peeking-peek", { ...session, onPermissionRequest }, { preset })).toContain(
        "rejected",
      );
      expect(asked).toEqual(["mcp"]);
      expect(await call("peeking-peek", session, { preset })).toContain("permits");
    }
  });
});

describe("an own tool that is called bash", () => {
  test("runs in a chat, which has no built-in one", async () => {
    expect(await call("bash", { tools: [own("bash")] }, { preset: "chat" })).toBe("The own tool ran");
  });

  test("in a coding agent it takes the built-in one's place if it says so", async () => {
    const tools = [own("bash", { overridesBuiltInTool: true })];
    expect(await call("bash", { tools })).toBe("The own tool ran");
    // Even where the list names the built-in one.
    expect(await call("bash", { tools, availableTools: ["builtin:bash"] })).toBe("The own tool ran");
  });

  test("else the turn says at once what to do, and no shell runs", async () => {
    results = [];
    const agent = agentWith({ session: { tools: [own("bash")] } });
    for (const prompt of ["First", "Again"]) {
      await expect(agent.chat(prompt)).rejects.toMatchObject({
        code: "agent/invalid-option",
        message: expect.stringContaining('"bash"'),
        hint: expect.stringContaining("overridesBuiltInTool"),
      });
    }
    expect(results).toEqual([]);
  });

  test("permits no other built-in one", async () => {
    const tools = [own("bash", { overridesBuiltInTool: true }), own("look")];
    const { asked, onPermissionRequest } = asking();
    const args = { url: "http://127.0.0.1:9/", path: "/etc/hostname" };
    for (const name of ["web_fetch", "view"])
      expect(await call(name, { tools, onPermissionRequest }, {}, args)).toContain("Not this one");
    expect(asked).toEqual(["url", "read"]);
  });
});

test("a built-in tool is asked for, and denied without a handler, whatever own tools there are", async () => {
  const { asked, onPermissionRequest } = asking();
  expect(await call("bash", { tools: [own("look")], onPermissionRequest })).not.toContain("the shell ran");
  expect(asked).toEqual(["shell"]);
  expect(await call("bash", { tools: [own("look")] })).not.toContain("the shell ran");
});

test("an instance of a class is a tool, too", async () => {
  class Look implements Tool {
    name = "look";
    description = "Looks";
    get parameters() {
      return { type: "object", properties: {} };
    }
    handler(): string {
      return "The instance ran";
    }
  }
  expect(await call("look", { tools: [new Look()] })).toBe("The instance ran");
});

test("a typed tool of a Zod schema: the model gets the schema, the handler its arguments", async () => {
  let city = "";
  const weather = defineTool("weather", {
    description: "The weather of a city",
    parameters: z.object({ city: z.string().describe("Its name") }),
    handler: (given) => {
      city = given.city;
      return `Sunny in ${city}`;
    },
  });
  called = { name: "weather", arguments: { city: "Graz" } };
  await agentWith({ preset: "chat", session: { tools: [weather] } }).chat("How is it?");
  expect(city).toBe("Graz");
  expect(results).toEqual(["Sunny in Graz"]);
  const properties = { city: { type: "string", description: "Its name" } };
  expect(parameters).toMatchObject({ type: "object", properties, required: ["city"] });
});

test("a typed tool of a Standard JSON Schema", async () => {
  const schema = z.object({ city: z.string() });
  const weather = defineTool<z.infer<typeof schema>>("weather", {
    parameters: schema["~standard"].jsonSchema.input({ target: "draft-2020-12" }),
    handler: ({ city }) => `Rain in ${city}`,
  });
  called = { name: "weather", arguments: { city: "Graz" } };
  await agentWith({ preset: "chat", session: { tools: [weather] } }).chat("How is it?");
  expect(results).toEqual(["Rain in Graz"]);
  expect(parameters).toMatchObject({ type: "object", required: ["city"] });
});

test("a typed tool of Valibot, by its converter; arguments that do not fit are told to the model", async () => {
  const schema = v.object({ city: v.string(), days: v.optional(v.pipe(v.number(), v.integer())) });
  const weather = defineTool<v.InferOutput<typeof schema>>("weather", {
    parameters: toJsonSchema(schema) as Record<string, unknown>,
    // Neither the SDK nor the runtime checks what the model sends.
    handler: (given) => {
      const { city, days = 1 } = v.parse(schema, given);
      return `Snow in ${city} for ${days}`;
    },
  });
  const tell = async (given: object) => {
    called = { name: "weather", arguments: given };
    await agentWith({ preset: "chat", session: { tools: [weather] } }).chat("How is it?");
    return results.join();
  };
  expect(await tell({ city: "Graz", days: 2 })).toBe("Snow in Graz for 2");
  const properties = { city: { type: "string" }, days: { type: "integer" } };
  expect(parameters).toMatchObject({ type: "object", properties, required: ["city"] });
  expect(await tell({ city: 5 })).not.toContain("Snow");
});

describe("a tool with isTerminal takes the answer", () => {
  const schema = z.object({ city: z.string(), celsius: z.number() });

  test("as data: the turn ends with it, after one request", async () => {
    let answer: z.infer<typeof schema> | undefined;
    const tell = defineTool("answer", {
      parameters: schema,
      isTerminal: true,
      handler: (given) => {
        answer = schema.parse(given);
        return "Taken";
      },
    });
    called = { name: "answer", arguments: { city: "Graz", celsius: 21 } };
    const conversation = agentWith({ preset: "chat" }).conversation({ tools: [tell] });
    const { text, usage } = await conversation.turn("How is it?");
    expect([text, usage.requests, answer]).toEqual(["", 1, { city: "Graz", celsius: 21 }]);
    const stream = conversation.stream("And now?");
    let streamed = "";
    for await (const piece of stream) streamed += piece;
    expect([streamed, (await stream.reply).text, (await stream.reply).usage.requests]).toEqual(["", "", 1]);
  });

  test("and what does not fit goes back to the model, whose words are the reply", async () => {
    const tell = defineTool("answer", {
      parameters: schema,
      isTerminal: true,
      handler: (given) => schema.parse(given),
    });
    called = { name: "answer", arguments: { city: "Graz" } };
    const conversation = agentWith({ preset: "chat" }).conversation({ tools: [tell] });
    expect(await conversation.turn("How is it?")).toMatchObject({ text: "Done", usage: { requests: 2 } });
  });
});
