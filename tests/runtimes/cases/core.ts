// Tests the core: the tables of the native tests, and functions without a table.

import {
  createFoundryProvider,
  decodeToken,
  diagnose,
  type FailedRequest,
  type FoundryProviderOptions,
  parseChallenge,
  parseEndpoint,
  parseTokenResponse,
  planProvider,
  roleAssignment,
  simulateRefresh,
} from "copilot-keyless";
import credentialTable from "../../tables/credentials.json" with { type: "json" };
import diagnosisTable from "../../tables/diagnoses.json" with { type: "json" };
import endpointTable from "../../tables/endpoints.json" with { type: "json" };
import expiryTable from "../../tables/expiry.json" with { type: "json" };
import providerTable from "../../tables/providers.json" with { type: "json" };
import type { Case } from "../suite.js";
import { check, fieldsOf, refused, same } from "./check.js";

interface Row {
  name?: string;
  expect?: object;
  error?: string;
}

const encode = (value: object) =>
  btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const jwt = (claims: object) => `${encode({ alg: "RS256" })}.${encode(claims)}.c2lnbmF0dXJl`;

/** Runs each row of a table through the core. */
async function each<T extends Row>(table: unknown, run: (row: T, about: string) => Promise<void>) {
  const rows = table as T[];
  check(rows.length > 20, "The table is empty");
  for (const [index, row] of rows.entries()) await run(row, row.name ?? `row ${index}`);
}

export const core: readonly Case[] = [
  [
    "core: token expiry, by its table",
    () =>
      each<Row & { response: string | object; requestedAt: number; utcOffsetMinutes?: number }>(
        expiryTable,
        async ({ response, requestedAt, utcOffsetMinutes = Number.NaN, ...row }, about) => {
          const read = () => parseTokenResponse(response, { requestedAt, utcOffsetMinutes });
          if (row.expect === undefined) return refusedWithout(read, row.error, about);
          const { token, ...times } = read();
          check(token, about);
          same(times, row.expect, about);
        },
      ),
  ],
  [
    "core: endpoints, by their table",
    () =>
      each<Row & { input: string; options?: object }>(
        endpointTable,
        async ({ input, options, ...row }, about) => {
          const read = () => parseEndpoint(input, options);
          if (row.expect === undefined) return refused(read, String(row.error), about);
          same(fieldsOf(read(), row.expect), row.expect, about);
        },
      ),
  ],
  [
    "core: providers, by their table",
    () =>
      each<Row & { request: FoundryProviderOptions }>(providerTable, async ({ request, ...row }, about) => {
        // The core never receives credential and tokens. Only other languages pass null for an
        // option.
        const { credential: _credential, tokens: _tokens, ...given } = request;
        const rest = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
        const make = () => createFoundryProvider({ ...rest, env: request.env ?? {} });
        if (row.expect === undefined) return refused(make, String(row.error), about);
        const provider = make();
        const { bearerTokenProvider, ...config } = provider.config;
        same(fieldsOf({ ...provider, config }, row.expect), row.expect, about);
        same(typeof bearerTokenProvider, provider.scope === undefined ? "undefined" : "function", about);
        provider.close();
      }),
  ],
  [
    "core: the choice of a credential, by its table",
    () =>
      each<Row & { cloud?: string; env: Record<string, string> }>(
        credentialTable,
        async ({ cloud = "public", env, ...row }, about) => {
          const endpoint = {
            public: "https://myres.openai.azure.com",
            usgov: "https://myres.openai.azure.us",
            china: "https://myres.openai.azure.cn",
          }[cloud];
          const make = () =>
            createFoundryProvider({
              endpoint: endpoint ?? "https://llm.contoso.com/v1",
              scope: "https://ai.azure.com/.default",
              env,
            });
          if (row.expect === undefined) return refused(make, String(row.error), about);
          const provider = make();
          same(fieldsOf(provider.credential, row.expect), row.expect, about);
          provider.close();
        },
      ),
  ],
  [
    "core: diagnoses, by their table",
    () =>
      each<
        Row & {
          failure: FailedRequest & { options?: object };
          claims?: object;
          code: string;
          cause?: string[];
        }
      >(diagnosisTable, async ({ failure: { options, ...failure }, claims, code, cause = [] }, about) => {
        const endpoint = options ? parseEndpoint(String(failure.endpoint), options) : failure.endpoint;
        const found = diagnose({ ...failure, endpoint, ...(claims ? { token: jwt(claims) } : {}) });
        same(found.code, code, about);
        for (const text of cause) check(found.cause.includes(text), `${about}: ${found.cause}`);
      }),
  ],
  [
    "core: `decodeToken`, `parseChallenge`, `planProvider`, `roleAssignment`",
    () => {
      const about = decodeToken(jwt({ aud: "https://ai.azure.com", idtyp: "app", exp: 1_700_003_600 }));
      same(about.audience, "https://ai.azure.com");
      same(about.expiresOn, 1_700_003_600_000);
      same(decodeToken("opaque").format, "opaque");
      same(parseChallenge(`Bearer claims="${encode({ access_token: {} })}"`).claims, '{"access_token":{}}');
      const endpoint = "myres.openai.azure.com";
      same(planProvider({ endpoint }).config.baseUrl, "https://myres.openai.azure.com/openai/v1/");
      same(roleAssignment({ endpoint }).role, "Cognitive Services OpenAI User");
    },
  ],
  [
    "core: `simulateRefresh`, a day with an outage",
    () => {
      const hour = 3_600_000;
      const { totals } = simulateRefresh({
        durationMs: 24 * hour,
        token: { lifetimesMs: [24 * hour] },
        outages: [{ fromMs: 12 * hour, toMs: 24 * hour }],
      });
      same([totals.calls, totals.failed], [1440, 0]);
    },
  ],
];

/** Expects a KeylessError that does not contain the response's token. */
async function refusedWithout(call: () => unknown, code: string | undefined, about: string) {
  await refused(
    () => {
      try {
        call();
      } catch (error) {
        check(!String((error as Error).stack).includes("opaque-token"), about);
        throw error;
      }
    },
    String(code),
    about,
  );
}
