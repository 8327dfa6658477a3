import type { TokenCredential } from "../credentials/credential.js";
import { directCredential } from "../credentials/direct.js";
import { coreEnvironment, type Environment } from "../platform/environment.js";
import { registerResource } from "../tokens/clock-skew.js";
import { createBearerTokenProvider } from "../tokens/provider.js";
import type { TokenProvider, TokenProviderOptions } from "../tokens/types.js";
import { callPlan } from "../wasm/bindings.js";
import type { ProviderPlan, ProviderRequest } from "../wasm/types/provider.js";

/** What acquires the tokens. */
export interface DirectSettings {
  credential: TokenCredential | "direct" | undefined;
  tokens: TokenProviderOptions | undefined;
  env: Environment;
}

/**
 * Plans an endpoint without the Copilot SDK and `@azure/identity`: by default the direct credential
 * acquires the tokens. An endpoint without a known scope gets none.
 */
export function planDirect(
  request: Omit<ProviderRequest, "env" | "ownCredential">,
  { credential, tokens: options, env }: DirectSettings,
): { plan: ProviderPlan; tokens: TokenProvider | undefined } {
  const ownCredential = typeof credential === "object" ? credential : undefined;
  const plan = callPlan((planner) =>
    planner.planProvider({
      ...request,
      ownCredential: ownCredential !== undefined,
      env: coreEnvironment(env),
    }),
  );
  if (plan.scope === undefined) return { plan, tokens: undefined };
  const tokenCredential = ownCredential ?? directCredential(env, plan.credential.authorityHost);
  const tokens = createBearerTokenProvider(tokenCredential, plan.scope, options);
  registerResource(tokenCredential, plan.endpoint.baseUrl);
  return { plan, tokens };
}
