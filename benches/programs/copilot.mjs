// Sessions with a custom provider, as in the Copilot SDK's documentation.

import { SCOPE } from "./systems.mjs";

export const quiet = { availableTools: [], onPermissionRequest: () => ({ kind: "reject" }) };

/** The documented pattern: the callback asks the credential. */
export function providerOver(credential, extra = quiet) {
  return {
    ...extra,
    model: process.env.FOUNDRY_MODEL_NAME,
    provider: {
      type: "openai",
      wireApi: "responses",
      baseUrl: `${process.env.FOUNDRY_RESOURCE_URL}/openai/v1/`,
      bearerTokenProvider: async () => (await credential.getToken(SCOPE)).token,
    },
  };
}
