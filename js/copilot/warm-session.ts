import type { CopilotClient, SessionConfig } from "@github/copilot-sdk";
import { withDeadline } from "../platform/with-deadline.js";

/** How long this may take, in milliseconds. */
const WARM_MS = 10_000;

/**
 * Makes a runtime load what its first turn needs: a session of its own counts its tokens, and is
 * deleted. The tokens of the first prompt are counted before the model is asked, and loading the
 * tokenizer takes 150 to 450 ms (measured with runtime 1.0.85); no call without a session loads it.
 * Sends no request. The first turn waits for what fails here, so nothing is reported.
 */
export async function warmSession(client: CopilotClient, config: SessionConfig): Promise<void> {
  const warmed = (async () => {
    const session = await client.createSession(config);
    try {
      await session.rpc.metadata.recomputeContextTokens({ modelId: config.model ?? "" });
    } finally {
      await session.disconnect();
      await client.deleteSession(session.sessionId);
    }
  })();
  await withDeadline(warmed, WARM_MS, () => {}).catch(() => {});
}
