// Tests the openai client with tokens from a workload identity exchange, each valid for 15 minutes.
import { createBearerTokenProvider } from "copilot-keyless";
import OpenAI from "openai";
import { MINUTE, putClocksForward, settle } from "./clocks.mjs";
import { report } from "./systems.mjs";

const [, , system, scenario] = process.argv;
const LIVES_SECONDS = 900;

let exchanges = 0;
let down = false;

async function answer(url) {
  if (!String(url).endsWith("/oauth/token")) return Response.json({ object: "list", data: [] });
  exchanges += 1;
  if (down) return Response.json({ error: "temporarily_unavailable" }, { status: 503 });
  return Response.json({ access_token: `token-${exchanges}`, expires_in: LIVES_SECONDS });
}

/** The same exchange as a credential. */
const exchange = {
  async getToken() {
    const now = Date.now();
    const response = await answer("https://auth.openai.com/oauth/token");
    const { access_token: token, expires_in: seconds } = await response.json();
    if (!response.ok) throw Object.assign(new Error("the exchange failed"), { statusCode: response.status });
    return { token, expiresOnTimestamp: now + seconds * 1000 };
  },
};

const CLIENTS = {
  "openai-node": () =>
    new OpenAI({
      baseURL: "https://resource.invalid/v1",
      fetch: answer,
      workloadIdentity: {
        identityProviderId: "provider",
        serviceAccountId: "account",
        provider: { tokenType: "jwt", getToken: async () => "subject" },
      },
    }),
  "copilot-keyless": () =>
    new OpenAI({
      baseURL: "https://resource.invalid/v1",
      fetch: answer,
      apiKey: createBearerTokenProvider(exchange, "https://api.openai.com/.default"),
    }),
};
const client = CLIENTS[system]();

async function requests(count) {
  for (let n = 0; n < count; n += 1) {
    await client.models.list();
    await settle();
  }
}

const SCENARIOS = {
  // New tokens, no faults.
  async healthy() {
    await requests(10);
    return { exchanges };
  },
  // The refresh is due for both systems, 3 minutes are left, and the exchange is down.
  async outage() {
    await requests(1);
    putClocksForward(12 * MINUTE);
    down = true;
    exchanges = 0;
    await requests(10);
    return { exchanges };
  },
  // The same without crashes at unhandled rejections, to see what follows.
  async "outage-survived"() {
    let unhandled = 0;
    process.on("unhandledRejection", () => {
      unhandled += 1;
    });
    return { ...(await SCENARIOS.outage()), unhandled };
  },
};
report(await SCENARIOS[scenario]());
