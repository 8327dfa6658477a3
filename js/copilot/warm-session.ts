import type { CopilotClient, SessionConfig, SessionFsProvider } from "@github/copilot-sdk";
import { withDeadline } from "../platform/with-deadline.js";
import { inTime, removeFiles } from "./attached-session.js";
import type { Runtime } from "./runtime.js";

/** How long the tokenizer may take, in milliseconds. */
const WARM_MS = 10_000;

/**
 * Makes a runtime of this package load what its first turn needs: a session of its own counts its
 * tokens, and is deleted. The tokens of the first prompt are counted before the model is asked, and
 * loading the tokenizer takes 150 to 450 ms (measured with runtime 1.0.85); no call without a
 * session loads it. Sends no request to a model, and never rejects: the first turn loads what is
 * missing.
 */
export async function warmSession(
  client: CopilotClient,
  runtime: Runtime,
  config: SessionConfig,
): Promise<void> {
  const sessionId = crypto.randomUUID();
  const files = runtime.options.sessionFs ? { createSessionFsProvider: () => NO_FILES } : {};
  const counted = countTokens(client, { ...config, ...files, sessionId });
  await withDeadline(counted, WARM_MS, () => {}).catch(() => {});
  await inTime(client.deleteSession(sessionId));
  await removeFiles(runtime, sessionId);
}

async function countTokens(client: CopilotClient, config: SessionConfig): Promise<void> {
  const session = await client.createSession(config);
  await session.rpc.metadata.recomputeContextTokens({ modelId: config.model ?? "" });
  await session.disconnect();
}

const missing = async (): Promise<never> => {
  throw Object.assign(new Error("There are no files"), { code: "ENOENT" });
};
const done = async (): Promise<void> => {};
const none = async (): Promise<never[]> => [];

/** For a program that keeps the files of its sessions itself, and has none for this one. */
const NO_FILES: SessionFsProvider = {
  readFile: missing,
  stat: missing,
  exists: async () => false,
  readdir: none,
  readdirWithTypes: none,
  writeFile: done,
  appendFile: done,
  mkdir: done,
  rm: done,
  rename: done,
};
