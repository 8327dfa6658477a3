import type { ProviderPlan } from "../../wasm/types/provider.js";
import { type Code, fields, PROMPT, quote, wrap } from "./text.js";

/** Formatted as Prettier does. The program is plain JavaScript, too, so Node 20 runs it. */
export function typescript({ config, model, scope }: ProviderPlan): Code {
  const provider = (by: string) => {
    // A text that does not fit stands on a line of its own.
    const field = (name: string, value: string) => {
      const line = `${by}${name}: ${value},`;
      return value.startsWith('"') ? wrap(80, line, `${by}${name}:\n${by}  ${value},`) : line;
    };
    const dated = (version: string) => `${by}azure: { apiVersion: ${quote(version)} },`;
    const lines = fields(config, field, quote, dated);
    return scope ? [...lines, `${by}bearerTokenProvider: tokens,`] : lines;
  };
  const credential = (packages: readonly string[]) => [
    ...(scope ? ['import { DefaultAzureCredential } from "@azure/identity";'] : []),
    ...packages,
    ...(scope ? ['import { createBearerTokenProvider } from "copilot-keyless";'] : []),
    "",
    ...(scope
      ? [
          wrap(80, `const scope = ${quote(scope)};`, `const scope =\n  ${quote(scope)};`),
          "const tokens = createBearerTokenProvider(new DefaultAzureCredential(), scope);",
        ]
      : []),
  ];
  const name = wrap(80, `    model: ${quote(model)},`, `    model:\n      ${quote(model)},`);
  return {
    program: [
      `// Install: npm install ${scope ? "copilot-keyless @github/copilot-sdk @azure/identity" : "@github/copilot-sdk"}`,
      "// Run: node app.mjs",
      "",
      ...credential(['import { CopilotClient } from "@github/copilot-sdk";']),
      "const client = new CopilotClient();",
      "try {",
      "  const session = await client.createSession({",
      name,
      "    provider: {",
      ...provider("      "),
      "    },",
      "  });",
      "  const answer = await session.sendAndWait({",
      `    prompt: ${quote(PROMPT)},`,
      "  });",
      "  console.log(answer?.data.content);",
      "} finally {",
      "  await client.stop();",
      "}",
    ].join("\n"),
    snippet: [
      ...credential(['import type { ProviderConfig } from "@github/copilot-sdk";']),
      "const provider: ProviderConfig = {",
      ...provider("  "),
      "};",
      `// client.createSession({ model: ${quote(model)}, provider })`,
    ].join("\n"),
  };
}
