// Tests token sources: Azure's identity endpoints through the direct credential, and
// @azure/identity.

import { createBearerTokenProvider, createFoundryProvider, decodeToken } from "copilot-keyless";
import { createDirectCredential, type DirectCredentialOptions } from "copilot-keyless/direct";
import type { Case, Settings } from "../suite.js";
import { check, fail, refused, same } from "./check.js";

const SCOPE = "https://ai.azure.com/.default";

/** Expects the right token. */
async function gives(options: DirectCredentialOptions, principal: string): Promise<void> {
  const credential = createDirectCredential({ timeoutMs: 5_000, ...options });
  const token = await credential.getToken(SCOPE);
  check(token, "no token");
  const about = decodeToken(token.token);
  same([about.audience, about.principal], ["https://ai.azure.com", principal]);
  check(Math.abs(token.expiresOnTimestamp - Date.now() - 3_600_000) < 10_000, "expires at another time");
}

const application = ({ identity }: Settings) => ({
  AZURE_AUTHORITY_HOST: identity.authorityHost,
  AZURE_CLIENT_ID: identity.clientId,
  AZURE_TENANT_ID: identity.tenantId,
});

export const credentials: readonly Case[] = [
  [
    "direct credential: App Service, Functions, Container Apps",
    ({ env }) => gives({ env }, "managed-identity"),
  ],
  [
    "direct credential: virtual machine (IMDS)",
    ({ identity }) => gives({ env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: identity.url } }, "managed-identity"),
  ],
  [
    "direct credential: service principal with a secret",
    async (settings) => {
      const { clientSecret } = settings.identity;
      await gives({ env: { ...application(settings), AZURE_CLIENT_SECRET: clientSecret } }, "app");
      const wrong = createDirectCredential({
        env: { ...application(settings), AZURE_CLIENT_SECRET: "wr0ng" },
      });
      await refused(() => wrong.getToken(SCOPE), "credential/refused");
    },
  ],
  [
    "direct credential: workload identity, the federated token by a callback",
    (settings) =>
      gives({ env: application(settings), assertion: async () => settings.identity.federatedToken }, "app"),
  ],
  [
    "direct credential: workload identity, the federated token in a file",
    (settings) =>
      gives({ env: { ...application(settings), AZURE_FEDERATED_TOKEN_FILE: settings.tokenFile } }, "app"),
  ],
  [
    "direct credential: GitHub Actions, the auth sidecar, Azure Machine Learning",
    async ({ hosts }) => {
      await gives({ env: hosts.githubActions }, "app");
      await gives({ env: hosts.sidecar, sidecar: { service: "Foundry" } }, "app");
      await gives({ env: hosts.machineLearning }, "managed-identity");
    },
  ],
  [
    "direct credential: Service Fabric, an AKS identity binding",
    async ({ hosts, identity }) => {
      await gives({ env: hosts.serviceFabric }, "managed-identity");
      const assertion = () => identity.federatedToken;
      await gives({ env: hosts.identityBinding, identityBinding: true, assertion }, "app");
      const thumbprint = { IDENTITY_SERVER_THUMBPRINT: "0".repeat(40) };
      const other = createDirectCredential({ env: { ...hosts.serviceFabric, ...thumbprint } });
      await refused(() => other.getToken(SCOPE), "credential/network");
      const { AZURE_KUBERNETES_CA_DATA: _, ...unknown } = hosts.identityBinding;
      const distrusted = { env: unknown, identityBinding: true, assertion, timeoutMs: 500 };
      await refused(() => createDirectCredential(distrusted).getToken(SCOPE), "credential/network");
    },
  ],
  [
    "direct credential: an abort, and settings that cannot be",
    async ({ env }) => {
      const abortSignal = AbortSignal.abort();
      const aborted = await createDirectCredential({ env })
        .getToken(SCOPE, { abortSignal })
        .then(
          () => fail("a token came"),
          (error) => error.name,
        );
      same(aborted, "AbortError");
      const { IDENTITY_HEADER: _, ...half } = env;
      await refused(
        () => createDirectCredential({ env: half, source: "app-service" }).getToken(SCOPE),
        "credential/configuration",
      );
    },
  ],
  [
    "direct credential: `createFoundryProvider`",
    async ({ env }) => {
      const policy = { waitTimeoutMs: 5_000 };
      const foundry = createFoundryProvider({ env, credential: "direct", tokens: { policy } });
      try {
        const token = await foundry.tokens();
        same(await foundry.config.bearerTokenProvider?.({} as never), token);
        same((await foundry.staticConfig()).bearerToken, token);
        same(foundry.tokens.invalidate(token), true);
        check((await foundry.tokens()) !== token, "the same token came again");
      } finally {
        foundry.close();
      }
    },
  ],
  [
    "token provider: in the environment of the process, whatever may be read of it",
    async () => {
      const give = async () => ({ token: "abc", expiresOnTimestamp: Date.now() + 3_600_000 });
      const provider = createBearerTokenProvider({ getToken: give }, SCOPE);
      same(await provider(), "abc");
      provider.close();
      const endpoint = "https://myres.openai.azure.com";
      createFoundryProvider({ endpoint, credential: { getToken: give } }).close();
    },
  ],
  [
    "`@azure/identity` by default",
    async ({ env }) => {
      // `@azure/identity` reads the environment of the process, where there is one.
      const own = globalThis.process?.env ?? {};
      Object.assign(own, env);
      const [endpoint, scope] = [env.FOUNDRY_RESOURCE_URL, env.FOUNDRY_TOKEN_SCOPE];
      const foundry = createFoundryProvider({ endpoint, scope });
      try {
        same(decodeToken(await foundry.tokens()).principal, "managed-identity");
      } finally {
        foundry.close();
        for (const name of Object.keys(env)) delete own[name];
      }
    },
  ],
];
