import { quote } from "../platform/shell.js";

/** What a client needs to know of a gateway. */
export interface GatewayAddress {
  /** Without a slash at the end. */
  url: string;
  key: string;
  /** The name of the deployment. */
  model: string;
}

/** How a client is pointed at the gateway. */
interface Client {
  /** The environment that it reads. */
  env(gateway: GatewayAddress): Record<string, string>;
  /** The command line that starts it; default: its name. */
  command?(gateway: GatewayAddress): string;
}

/** The known clients, by the name for `--for`. `run` sets the environment of all of them. */
const CLIENTS: Record<string, Client> = {
  copilot: {
    env: ({ url, key, model }) => ({
      COPILOT_PROVIDER_TYPE: "openai",
      COPILOT_PROVIDER_BASE_URL: `${url}/openai/v1`,
      COPILOT_PROVIDER_API_KEY: key,
      COPILOT_PROVIDER_WIRE_API: "responses",
      COPILOT_MODEL: model,
    }),
    command: () => "copilot",
  },
  openai: {
    env: ({ url, key }) => ({ OPENAI_BASE_URL: `${url}/openai/v1`, OPENAI_API_KEY: key }),
    command: () => "<program>",
  },
  aider: {
    env: ({ url, key }) => ({ OPENAI_API_BASE: `${url}/openai/v1`, OPENAI_API_KEY: key }),
    command: ({ model }) => `aider --model ${quote(`openai/${model}`)}`,
  },
  codex: {
    env: ({ key }) => ({ OPENAI_API_KEY: key }),
    command: ({ url, model }) => {
      const provider = `{ name = "Foundry", base_url = "${url}/openai/v1", env_key = "OPENAI_API_KEY", wire_api = "responses" }`;
      return `codex -c model_provider=gw -c ${quote(`model_providers.gw=${provider}`)} -m ${quote(model)}`;
    },
  },
  opencode: {
    env: ({ url, key, model }) => ({
      OPENAI_API_KEY: key,
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        provider: { openai: { options: { baseURL: `${url}/openai/v1` } } },
        // Otherwise it asks another model for titles, which may have no deployment.
        small_model: `openai/${model}`,
      }),
    }),
    command: ({ model }) => `opencode --model ${quote(`openai/${model}`)}`,
  },
  anthropic: {
    env: ({ url, key }) => ({ ANTHROPIC_BASE_URL: `${url}/anthropic`, ANTHROPIC_AUTH_TOKEN: key }),
    command: () => "<program>",
  },
  "claude-code": {
    env: ({ url, key, model }) => ({
      ANTHROPIC_BASE_URL: `${url}/anthropic`,
      ANTHROPIC_AUTH_TOKEN: key,
      // Otherwise it asks its own default, and another model for small tasks, which may have no
      // deployment.
      ...(/claude/i.test(model) ? { ANTHROPIC_MODEL: model, ANTHROPIC_DEFAULT_HAIKU_MODEL: model } : {}),
    }),
    command: () => "claude",
  },
  "qwen-code": {
    env: ({ url, key, model }) => ({
      OPENAI_BASE_URL: `${url}/openai/v1`,
      OPENAI_API_KEY: key,
      OPENAI_MODEL: model,
    }),
    command: () => "qwen --auth-type openai",
  },
  continue: {
    env: ({ url, key }) => ({ OPENAI_BASE_URL: `${url}/openai/v1`, OPENAI_API_KEY: key }),
    // The file is in docs/guides/clients.md: Continue takes no address from the environment alone.
    command: () => "cn --config continue.yaml",
  },
  llm: {
    env: ({ url, key }) => ({ OPENAI_BASE_URL: `${url}/openai/v1`, OPENAI_API_KEY: key }),
    command: ({ model }) => `llm -m ${quote(model)}`,
  },
};

export const CLIENT_NAMES = Object.keys(CLIENTS);

/** Variables that make a client prefer another resource or key than the gateway's. */
const MISLEADING = [
  "AZURE_OPENAI_ENDPOINT",
  "AZURE_OPENAI_API_KEY",
  "ANTHROPIC_API_KEY",
  "COPILOT_PROVIDER_BEARER_TOKEN",
  "COPILOT_PROVIDER_API_KEY_COMMAND",
  "CLAUDE_CODE_USE_FOUNDRY",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
];

/** The environment for all clients at once; undefined for a variable to remove. */
export function environmentOfClients(gateway: GatewayAddress): Record<string, string | undefined> {
  const removed = MISLEADING.map((name) => [name, undefined] as const);
  return Object.assign(Object.fromEntries(removed), ...Object.values(CLIENTS).map(({ env }) => env(gateway)));
}

/** The environment and the command line of each client, or of one. */
export function recipes(
  gateway: GatewayAddress,
  only?: string,
): Record<string, { env: Record<string, string>; command: string }> {
  const chosen = Object.entries(CLIENTS).filter(([name]) => only === undefined || name === only);
  return Object.fromEntries(
    chosen.map(([name, { env, command }]) => [
      name,
      { env: env(gateway), command: command?.(gateway) ?? name },
    ]),
  );
}

/** A recipe as one line for a POSIX shell. */
export function shellLine({ env, command }: { env: Record<string, string>; command: string }): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`);
  return [...variables, command].join(" ");
}
