// A worker as in docs/guides/edge.md: one handler for all requests.

import { createEdgeChatHandler } from "copilot-keyless/edge";

let chat: ReturnType<typeof createEdgeChatHandler> | undefined;

export default {
  fetch: (request: Request, env: Record<string, string>): Promise<Response> => {
    chat ??= createEdgeChatHandler({ env, authorize: "anonymous" });
    return chat(request);
  },
};
