// The clients that the gateway is tested with, each started as its own documentation says, with the
// environment and the command line that `gateway --json` prints for it.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { installLocked } from "../../support/install-locked.js";
import { root } from "../../support/process.js";

export const HOME = join(root, "tests/e2e/gateway/clients");

/** How a request is made. Command-line tools always stream. */
export type Mode = "turn" | "stream" | "tool";

export interface Client {
  name: string;
  version: string;
  /** The name for `--for`. */
  recipe: string;
  /** The command line of a recipe, with a prompt. */
  command(recipe: string, mode: Mode, prompt: string): string;
  /** Variables that make a run of a test quiet. They do not change where requests go. */
  env?: Record<string, string>;
  /** The tool of its own that runs a shell command, and the name of the command in its arguments. */
  shell?: { tool: RegExp; argument: string };
  /** Whether `run` alone points it at the gateway. Codex takes no address from the environment. */
  byEnvironment: boolean;
}

const versionOf = (name: string): string => {
  const { dependencies } = JSON.parse(readFileSync(join(HOME, "package.json"), "utf8"));
  return dependencies[name];
};
const rootVersion = (name: string): string =>
  JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;

/** The version of `openai` for Python. */
const PYTHON = "3.57.0";
/** A virtual environment beside the clients. */
export const python = join(HOME, "node_modules/.python/bin/python");

/** Installs the clients, once. */
export function installClients(): void {
  installLocked(HOME, "Installing clients of the gateway: a gigabyte, once");
  if (existsSync(join(dirname(python), "openai"))) return;
  execFileSync("python3", ["-m", "venv", join(dirname(python), "..")]);
  execFileSync(python, ["-m", "pip", "install", "--quiet", `openai==${PYTHON}`]);
}

const program =
  (start: string) =>
  (recipe: string, mode: Mode, prompt: string): string =>
    recipe.replace("<program>", `${start} ${mode} '${prompt}'`);
const file = (name: string): string => `'${join(HOME, name)}'`;

export const CLIENTS: readonly Client[] = [
  {
    name: "Copilot CLI",
    version: versionOf("@github/copilot"),
    recipe: "copilot",
    command: (recipe, _mode, prompt) => `${recipe} --allow-all-tools -p '${prompt}'`,
    env: { COPILOT_OFFLINE: "true" },
    shell: { tool: /^bash$/, argument: "command" },
    byEnvironment: true,
  },
  {
    name: "Codex CLI",
    version: versionOf("@openai/codex"),
    recipe: "codex",
    command: (recipe, _mode, prompt) =>
      `${recipe} exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox '${prompt}'`,
    shell: { tool: /^(exec_command|shell|shell_command)$/, argument: "cmd" },
    byEnvironment: false,
  },
  {
    name: "opencode",
    version: versionOf("opencode-ai"),
    recipe: "opencode",
    command: (recipe, _mode, prompt) => `${recipe} run '${prompt}'`,
    env: { OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" },
    shell: { tool: /^bash$/, argument: "command" },
    byEnvironment: true,
  },
  {
    name: "`openai` for Node",
    version: rootVersion("openai"),
    recipe: "openai",
    command: program(`node ${file("openai.mjs")}`),
    byEnvironment: true,
  },
  {
    name: "`openai` for Python",
    version: PYTHON,
    recipe: "openai",
    command: program(`'${python}' ${file("openai_client.py")}`),
    byEnvironment: true,
  },
  {
    name: "Vercel AI SDK, `@ai-sdk/openai`",
    version: versionOf("@ai-sdk/openai"),
    recipe: "openai",
    command: program(`node ${file("ai-sdk.mjs")} openai`),
    byEnvironment: true,
  },
  {
    name: "Vercel AI SDK, `@ai-sdk/azure`",
    version: versionOf("@ai-sdk/azure"),
    recipe: "openai",
    command: program(`node ${file("ai-sdk.mjs")} azure`),
    byEnvironment: true,
  },
];
