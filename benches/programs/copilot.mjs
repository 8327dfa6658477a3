// Sessions with a custom provider, as in the Copilot SDK's documentation.

export const quiet = { availableTools: [], onPermissionRequest: () => ({ kind: "reject" }) };

/** The documented pattern: the callback returns a token of the system. */
export function providerOver(provide, extra = quiet) {
  return {
    ...extra,
    model: process.env.FOUNDRY_MODEL_NAME,
    provider: {
      type: "openai",
      wireApi: "responses",
      baseUrl: `${process.env.FOUNDRY_RESOURCE_URL}/openai/v1/`,
      bearerTokenProvider: () => provide(),
    },
  };
}
