import type { ModelInfo, ProviderModelConfig } from "@github/copilot-sdk";

/** The part of a model's configuration that a list of models shows. */
interface ConfiguredModel {
  id: string;
  name?: string | undefined;
  maxPromptTokens?: number | undefined;
  maxOutputTokens?: number | undefined;
  maxContextWindowTokens?: number | undefined;
  capabilities?: ProviderModelConfig["capabilities"] | undefined;
}

/**
 * Describes a configured model as the SDK's `client.listModels()` does. What the configuration does
 * not say is false, or 0 for the context window, which the SDK takes for unknown.
 */
export function modelInfo({ id, name = id, capabilities = {}, ...limits }: ConfiguredModel): ModelInfo {
  const { maxPromptTokens, maxOutputTokens, maxContextWindowTokens = 0 } = limits;
  return {
    id,
    name,
    capabilities: {
      supports: { vision: false, reasoningEffort: false, ...capabilities.supports },
      limits: {
        max_context_window_tokens: maxContextWindowTokens,
        ...(maxPromptTokens === undefined ? {} : { max_prompt_tokens: maxPromptTokens }),
        ...(maxOutputTokens === undefined ? {} : { max_output_tokens: maxOutputTokens }),
        ...capabilities.limits,
      },
    } as ModelInfo["capabilities"],
  };
}
