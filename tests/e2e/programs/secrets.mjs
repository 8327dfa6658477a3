// `secrets.mjs <scenario>`: fails as the scenario says, and prints everything that a program can
// observe. The environment holds the secrets; SECRETS (JSON) has those without a variable.

import { channel } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { CopilotClient } from "@github/copilot-sdk";
import {
  createBearerTokenProvider,
  createClaimsChallengeHandler,
  createFoundryProvider,
  FoundryAgent,
} from "copilot-keyless";

const SCOPE = "https://ai.azure.com/.default";
const secrets = JSON.parse(process.env.SECRETS);
delete process.env.SECRETS;

/** Prints a value in every way that a logger may. */
function write(name, value) {
  console.log(`--- ${name}`);
  console.log(value);
  console.log(inspect(value, { depth: 12, showHidden: true }));
  console.log(JSON.stringify(value));
  for (let error = value; error instanceof Error; error = error.cause) {
    console.log(error.message, error.hint, error.stack, JSON.stringify({ ...error }), String(error));
    console.error(error);
  }
}

channel("copilot-keyless:token").subscribe((event) => write("token event", event));

/** An error from a careless credential, which contains secrets. */
function careless() {
  const { jwt, opaque } = secrets;
  const cause = Object.assign(
    new Error(`POST /token grant_type=x&client_secret=${opaque}&assertion=${jwt}`),
    {
      request: { headers: { Authorization: `Bearer ${opaque}` }, body: `client_assertion=${jwt}` },
    },
  );
  const { AZURE_CLIENT_SECRET, IDENTITY_HEADER } = process.env;
  return new Error(`The value ${AZURE_CLIENT_SECRET} or '${IDENTITY_HEADER}' was refused, ${jwt}`, { cause });
}

const CREDENTIALS = {
  throws: { getToken: () => Promise.reject(careless()) },
  "line break": {
    getToken: async () => ({
      token: `${secrets.opaque}\n${secrets.jwt}`,
      expiresOnTimestamp: Date.now() + 3_600_000,
    }),
  },
  "not accepted": {
    getToken: async () => ({ token: secrets.jwt, expiresOnTimestamp: Date.now() + 3_600_000 }),
  },
};

const FUNCTIONS = {
  throws: () => Promise.reject(careless()),
  "line break": async () => `${secrets.opaque}\r\n${secrets.jwt}`,
};

/** Runs one turn of an agent and prints everything that it exposes. */
async function agent(options, prompt = "Hello") {
  const agent = new FoundryAgent({
    client: { env: { ADDED: "4dded" } },
    ...options,
    session: { onEvent: (event) => write("event", event), ...options?.session },
  });
  try {
    write("reply", await agent.chat(prompt));
  } catch (error) {
    write("error", error);
  }
  write("agent", agent);
  write("provider", agent.provider);
  write("status", agent.provider.tokens.status);
  await agent.close();
}

/** Runs one turn of a plain SDK session with a given config. */
async function session(config, clientOptions) {
  const client = new CopilotClient({ useLoggedInUser: false, ...clientOptions });
  await client.start();
  try {
    const session = await client.createSession({
      availableTools: [],
      onPermissionRequest: () => ({ kind: "reject" }),
      onEvent: (event) => write("event", event),
      ...config,
    });
    write("reply", (await session.sendAndWait({ prompt: "Hello" }))?.data.content);
  } catch (error) {
    write("error", error);
  }
  await client.stop();
}

const [, , scenario, kind] = process.argv;
switch (scenario) {
  case "shell":
    await agent({ session: { onPermissionRequest: () => ({ kind: "approve-once" }) } }, "Run env");
    break;
  case "no permission":
    await agent({}, "Run env");
    break;
  case "agent":
    await agent({ credential: CREDENTIALS[kind] });
    break;
  case "session":
    await session(createFoundryProvider({ credential: CREDENTIALS[kind] }).sessionConfig());
    break;
  case "token function":
    await session(createFoundryProvider({ tokens: FUNCTIONS[kind] }).sessionConfig());
    break;
  case "tokens alone": {
    const { config, model } = createFoundryProvider();
    const bearerTokenProvider = createBearerTokenProvider(CREDENTIALS[kind], SCOPE);
    await session({ model, provider: { ...config, bearerTokenProvider } });
    break;
  }
  case "claims": {
    const foundry = createFoundryProvider();
    const credential = {
      getToken: async (_, { claims }) =>
        claims ? Promise.reject(careless()) : { ...(await foundry.tokens.getToken()) },
    };
    const challenged = createFoundryProvider({ credential });
    await session(challenged.sessionConfig(), {
      requestHandler: await createClaimsChallengeHandler(challenged),
    });
    break;
  }
  case "uncaught":
    await createBearerTokenProvider(CREDENTIALS[kind], SCOPE)();
}
process.exit();
