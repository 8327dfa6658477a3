// The further clients of `npm run clients`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { installLocked } from "../../support/install-locked.js";
import { root } from "../../support/process.js";
import { type Client, file, HOME, program } from "./client.js";
import { go, java, type NpmCommand, npmCommand, pythonEnvironment } from "./install-clients.js";

const FOLDER = join(HOME, "on-demand");
const read = (name: string): string => readFileSync(join(FOLDER, name), "utf8");
const versionOf = (name: string): string => JSON.parse(read("package.json")).dependencies[name];
/** The version that a build file of Go or Java names behind a text. */
const versionAfter = (name: string, text: string): string =>
  read(name)
    .split(text)[1]
    ?.match(/\d[\d.]+\d/)?.[0] ?? "";

/** Several of the clients need a newer one than the package does. */
const node = npmCommand("node", "22.23.3");
const CLAUDE_MODEL = "claude-sonnet-5";
/** Of the page, as a user copies it. */
const CONTINUE_CONFIG =
  /```yaml\n(name: Foundry\n.*?)```/s.exec(readFileSync(join(root, "docs/guides/clients.md"), "utf8"))?.[1] ??
  "";

/** A command of npm. */
function command(
  { bin, install }: NpmCommand,
  client: Pick<Client, "name" | "id" | "version" | "command"> & Partial<Client>,
): Client {
  return {
    recipe: client.id,
    path: [bin, node.bin],
    byEnvironment: true,
    ...client,
    install: () => {
      node.install();
      install();
    },
  };
}

/** A program for Node with libraries of the folder's lockfile. */
function nodeProgram(
  client: Pick<Client, "name" | "id" | "version" | "recipe"> & Partial<Client>,
  start: string,
): Client {
  return {
    command: program(`node ${start}`),
    path: [node.bin],
    byEnvironment: true,
    ...client,
    install: () => {
      node.install();
      installLocked(FOLDER, "Installing further clients of the gateway, once");
    },
  };
}

/** A program for Python with a library, or the command of one. */
function python(
  packages: readonly [string, ...string[]],
  client: Pick<Client, "name" | "id" | "recipe" | "command"> & Partial<Client>,
): Client {
  const { bin, install } = pythonEnvironment(...packages);
  const [, version = ""] = packages[0].split("==");
  return { version, path: [bin], byEnvironment: true, ...client, install };
}

/** A class for Java. */
function javaProgram(name: string, id: string, artifact: string, main: string): Client {
  const start = `java -cp '${join(java.folder, "classes")}:${join(java.folder, "lib")}/*' ${main}`;
  return {
    name,
    id,
    version: versionAfter("java/pom.xml", `<artifactId>${artifact}</artifactId>`),
    recipe: "openai",
    command: program(start),
    path: [],
    byEnvironment: true,
    install: java.install,
  };
}

const CLAUDE_CODE = "2.1.332";
/** What Claude Code's page on Foundry sets, from the variables of the recipe. */
const AS_FOUNDRY =
  'CLAUDE_CODE_USE_FOUNDRY=1 ANTHROPIC_FOUNDRY_BASE_URL="$ANTHROPIC_BASE_URL" ANTHROPIC_FOUNDRY_API_KEY="$ANTHROPIC_AUTH_TOKEN"';
const QWEN_CODE = "0.24.4";
const CONTINUE = "1.5.47";

export const CLIENTS_ON_DEMAND: readonly Client[] = [
  command(npmCommand("@anthropic-ai/claude-code", CLAUDE_CODE), {
    name: "Claude Code",
    id: "claude-code",
    version: CLAUDE_CODE,
    command: (recipe, _mode, prompt) => `${recipe} -p '${prompt}' --allowedTools Bash`,
    model: CLAUDE_MODEL,
  }),
  command(npmCommand("@anthropic-ai/claude-code", CLAUDE_CODE), {
    name: "Claude Code, `CLAUDE_CODE_USE_FOUNDRY`",
    id: "claude-code-foundry",
    version: CLAUDE_CODE,
    recipe: "claude-code",
    command: (recipe, _mode, prompt) => `${AS_FOUNDRY} ${recipe} -p '${prompt}' --allowedTools Bash`,
    model: CLAUDE_MODEL,
  }),
  nodeProgram(
    {
      name: "`@anthropic-ai/sdk`",
      id: "anthropic-node",
      version: versionOf("@anthropic-ai/sdk"),
      recipe: "anthropic",
      model: CLAUDE_MODEL,
    },
    `${file("on-demand/anthropic.mjs")} anthropic`,
  ),
  nodeProgram(
    {
      name: "`@anthropic-ai/foundry-sdk`",
      id: "anthropic-foundry",
      version: versionOf("@anthropic-ai/foundry-sdk"),
      recipe: "anthropic",
      model: CLAUDE_MODEL,
    },
    `${file("on-demand/anthropic.mjs")} foundry`,
  ),
  python(["anthropic==2.14.0"], {
    name: "`anthropic` for Python",
    id: "anthropic-python",
    recipe: "anthropic",
    command: program(`python ${file("on-demand/anthropic_client.py")}`),
    model: CLAUDE_MODEL,
  }),
  {
    name: "`openai-go`",
    id: "openai-go",
    version: versionAfter("go/go.mod", "openai-go/v3 v"),
    recipe: "openai",
    command: program(`'${join(go.folder, "client")}'`),
    note: "the text of an error is its status; print `Message` of `openai.Error`",
    path: [],
    byEnvironment: true,
    install: go.install,
  },
  javaProgram("`openai-java`", "openai-java", "openai-java", "OpenaiJava"),
  javaProgram("LangChain4j", "langchain4j", "langchain4j-open-ai", "LangChain4j"),
  python(["langchain-openai==1.7.4"], {
    name: "LangChain for Python, `langchain-openai`",
    id: "langchain-python",
    recipe: "openai",
    command: program(`python ${file("on-demand/langchain_client.py")}`),
  }),
  nodeProgram(
    {
      name: "LangChain for Node, `@langchain/openai`",
      id: "langchain-node",
      version: versionOf("@langchain/openai"),
      recipe: "openai",
    },
    file("on-demand/langchain.mjs"),
  ),
  python(["aider-chat==0.86.2"], {
    name: "aider",
    id: "aider",
    recipe: "aider",
    command: (recipe, _mode, prompt) => `${recipe} --yes-always --no-git --message '${prompt}'`,
    env: {
      AIDER_CHECK_UPDATE: "false",
      AIDER_ANALYTICS_DISABLE: "true",
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
    },
    tools: false,
  }),
  command(npmCommand("@qwen-code/qwen-code", QWEN_CODE), {
    name: "Qwen Code",
    id: "qwen-code",
    version: QWEN_CODE,
    command: (recipe, _mode, prompt) => `${recipe} --yolo -p '${prompt}'`,
    // Its shell on a pseudo-terminal loses what a quick command prints.
    files: { ".qwen/settings.json": '{ "tools": { "shell": { "enableInteractiveShell": false } } }' },
  }),
  python(["llm==0.36"], {
    name: "`llm`",
    id: "llm",
    recipe: "llm",
    command: (recipe, mode, prompt) =>
      mode === "tool"
        ? `${recipe} '${prompt}' --functions 'def answer(): return "tool-ran-42"'`
        : `${recipe} '${prompt}'`,
  }),
  python(["litellm==1.110.2"], {
    name: "LiteLLM",
    id: "litellm",
    recipe: "openai",
    command: program(`python ${file("on-demand/litellm_client.py")}`),
    env: { LITELLM_LOCAL_MODEL_COST_MAP: "True" },
  }),
  command(npmCommand("@continuedev/cli", CONTINUE), {
    name: "Continue CLI",
    id: "continue",
    version: CONTINUE,
    command: (recipe, _mode, prompt) => `${recipe} --auto -p '${prompt}'`,
    files: { "continue.yaml": CONTINUE_CONFIG },
  }),
];
