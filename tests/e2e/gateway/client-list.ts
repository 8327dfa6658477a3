// The clients that CI tests the gateway with, each started as its own documentation says, with the
// environment and the command line that `gateway --json` prints for it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { installLocked } from "../../support/install-locked.js";
import { root } from "../../support/process.js";
import { type Client, file, HOME, program } from "./client.js";
import { pythonEnvironment } from "./install-clients.js";

const versionOf = (name: string): string => {
  const { dependencies } = JSON.parse(readFileSync(join(HOME, "package.json"), "utf8"));
  return dependencies[name];
};
const rootVersion = (name: string): string =>
  JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;

/** The version of `openai` for Python. */
const PYTHON = "3.57.0";
export const openaiPython = pythonEnvironment(`openai==${PYTHON}`);

const BIN = [join(HOME, "node_modules/.bin")];
/** Installs the packages of npm, once. */
const install = () => installLocked(HOME, "Installing clients of the gateway: a gigabyte, once");

export const CLIENTS_OF_CI: readonly Client[] = [
  {
    name: "Copilot CLI",
    id: "copilot",
    version: versionOf("@github/copilot"),
    recipe: "copilot",
    command: (recipe, _mode, prompt) => `${recipe} --allow-all-tools -p '${prompt}'`,
    env: { COPILOT_OFFLINE: "true" },
    path: BIN,
    byEnvironment: true,
    install,
  },
  {
    name: "Codex CLI",
    id: "codex",
    version: versionOf("@openai/codex"),
    recipe: "codex",
    command: (recipe, _mode, prompt) =>
      `${recipe} exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox '${prompt}'`,
    path: BIN,
    byEnvironment: false,
    install,
  },
  {
    name: "opencode",
    id: "opencode",
    version: versionOf("opencode-ai"),
    recipe: "opencode",
    command: (recipe, _mode, prompt) => `${recipe} run '${prompt}'`,
    env: { OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" },
    path: BIN,
    byEnvironment: true,
    install,
  },
  {
    name: "`openai` for Node",
    id: "openai-node",
    version: rootVersion("openai"),
    recipe: "openai",
    command: program(`node ${file("openai.mjs")}`),
    path: BIN,
    byEnvironment: true,
    install,
  },
  {
    name: "`openai` for Python",
    id: "openai-python",
    version: PYTHON,
    recipe: "openai",
    command: program(`python ${file("openai_client.py")}`),
    path: [openaiPython.bin],
    byEnvironment: true,
    install: openaiPython.install,
  },
  {
    name: "Vercel AI SDK, `@ai-sdk/openai`",
    id: "ai-sdk-openai",
    version: versionOf("@ai-sdk/openai"),
    recipe: "openai",
    command: program(`node ${file("ai-sdk.mjs")} openai`),
    path: BIN,
    byEnvironment: true,
    install,
  },
  {
    name: "Vercel AI SDK, `@ai-sdk/azure`",
    id: "ai-sdk-azure",
    version: versionOf("@ai-sdk/azure"),
    recipe: "openai",
    command: program(`node ${file("ai-sdk.mjs")} azure`),
    path: BIN,
    byEnvironment: true,
    install,
  },
];
