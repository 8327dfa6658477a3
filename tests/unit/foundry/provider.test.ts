// Tests createFoundryProvider without a session: its config, and tokens from a caller's function.

import {
  type AccessToken,
  createBearerTokenProvider,
  createFoundryProvider,
  decodeToken,
  type TokenProvider,
} from "copilot-keyless";
import { expect, test } from "vitest";

const endpoint = "https://myres.openai.azure.com";
const args = { providerName: "default", sessionId: "s" };

/** A token function from outside this package. */
const foreign = (given: unknown) => (async () => given) as unknown as TokenProvider;

test.each([
  ["a text", "abc"],
  ["a text with Bearer in front", "Bearer abc"],
  ["an AccessToken", { token: "abc", expiresOnTimestamp: 1 }],
])("a foreign token function that gives %s serves", async (_, given) => {
  const provider = createFoundryProvider({ endpoint, tokens: foreign(given) });
  expect(await provider.config.bearerTokenProvider?.(args)).toBe("abc");
  expect(await provider.staticConfig()).toMatchObject({
    bearerToken: "abc",
    baseUrl: `${endpoint}/openai/v1/`,
  });
  expect((await provider.staticConfig()).bearerTokenProvider).toBeUndefined();
});

test.each([
  ["nothing", undefined, "token/malformed"],
  ["a number", 5, "token/malformed"],
  ["an empty text", "", "token/empty"],
  ["a line break", "s3cret\nvalue", "token/malformed"],
])("a foreign token function that gives %s is refused before the runtime sees it", async (_, given, code) => {
  const provider = createFoundryProvider({ endpoint, tokens: foreign(given) });
  const error = await provider.config.bearerTokenProvider?.(args).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "KeylessError", code });
  expect(String(error)).not.toContain("s3cret");
});

test("an AccessToken serves where a text is expected", async () => {
  const token: AccessToken = { token: "abc", expiresOnTimestamp: Date.now() + 3_600_000 };
  using provider = createBearerTokenProvider(
    { getToken: async () => token },
    "https://ai.azure.com/.default",
  );
  await provider();
  expect(decodeToken(token).format).toBe("opaque");
  expect(provider.invalidate({ ...token, token: "another" })).toBe(false);
  expect(provider.invalidate(await provider.getToken())).toBe(true);
});

test("providers of the same credential, endpoint by endpoint, share one acquisition", async () => {
  let asked = 0;
  const credential = {
    getToken: async () => {
      asked += 1;
      return { token: "abc", expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };
  using one = createFoundryProvider({ endpoint, credential });
  using two = createFoundryProvider({ endpoint: "https://other.services.ai.azure.com", credential });
  await Promise.all([one.tokens(), two.tokens(), one.tokens()]);
  expect(asked).toBe(1);
});

test("this machine gets no token unless a scope is named", async () => {
  using bare = createFoundryProvider({ endpoint: "http://127.0.0.1:5273/v1", env: {} });
  expect(bare.config.bearerTokenProvider).toBeUndefined();
  await expect(bare.tokens()).rejects.toMatchObject({ code: "provider/scope" });
  const credential = { getToken: async () => null };
  expect(() => createFoundryProvider({ endpoint: "http://127.0.0.1:5273/v1", env: {}, credential })).toThrow(
    /scope/,
  );
});
