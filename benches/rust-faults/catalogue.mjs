// The clients, whose tokens they use, and the faults of the identity endpoint.

/** The clients, and the contenders that each runs with. */
export const CLIENTS = {
  azure_storage_blob: [
    "copilot-keyless",
    "copilot-keyless, TokenPolicy",
    // It puts the policy before every credential.
    "azure_identity behind azure_core",
  ],
  object_store: ["copilot-keyless", "azure_identity", "azure_identity behind azure_core", "object_store"],
  "async-openai": ["copilot-keyless", "azure_identity", "azure_identity behind azure_core"],
  reqwest: ["copilot-keyless", "azure_identity", "azure_identity behind azure_core"],
  tower: ["copilot-keyless", "azure_identity", "azure_identity behind azure_core"],
};

const SHORT = 15;
const HOUR = 3_600;

/** When a fault begins and ends, in seconds. A token of 15 s from the start is good all the while. */
const [FROM, UNTIL, END] = [5, 11, 25];

/** A fault of the identity endpoint while the token is good: every call can be served. */
const passing = (id, title, fault) => ({
  id,
  title,
  lifetime: SHORT,
  seconds: END,
  script: async (cell) => {
    await cell.until(FROM);
    const trouble = cell.fault(fault);
    await cell.until(UNTIL);
    trouble.remove();
  },
});

export const FAULTS = [
  { id: "none", title: "no fault, tokens of 15 s", lifetime: SHORT, seconds: 60, script: async () => {} },
  passing("hang", "no answer (hang) for 6 s", { kind: "hang" }),
  passing("500", "500 for 6 s", { kind: "status", status: 500 }),
  passing("429", "429 for 6 s, with Retry-After: 30", {
    kind: "status",
    status: 429,
    headers: { "retry-after": "30" },
  }),
  passing("html", "HTML in the place of JSON for 6 s", {
    kind: "body",
    body: "<!doctype html><title>Sign in</title>",
  }),
  passing("expired", "tokens that have expired for 6 s", { kind: "expired" }),
  {
    id: "audience",
    title: "the first token, of an hour, is for another audience",
    lifetime: HOUR,
    seconds: 15,
    faultsFirst: [{ kind: "wrong-audience", times: 1 }],
    script: async () => {},
  },
  {
    id: "slow",
    title: "each answer takes 2.5 s",
    lifetime: SHORT,
    seconds: 40,
    faultsFirst: [{ kind: "delay", delayMs: 2_500 }],
    script: async () => {},
  },
  {
    id: "gone",
    title: "connections refused for 6 s",
    lifetime: SHORT,
    seconds: END,
    script: async (cell) => {
      await cell.until(FROM);
      await cell.relay.close();
      await cell.until(UNTIL);
      await cell.relay.open();
    },
  },
  {
    id: "outage",
    title: "no answer (hang) for 25 s, longer than the token is good",
    lifetime: SHORT,
    seconds: 45,
    // We hand out no token with a quarter of its life left or less; a second after the outage a token can be had.
    mustServe: (at) => at < 11_000 || at >= 31_000,
    script: async (cell) => {
      await cell.until(FROM);
      const trouble = cell.fault({ kind: "hang" });
      await cell.until(30);
      trouble.remove();
    },
  },
  {
    id: "revoked",
    title: "the token of an hour is revoked",
    lifetime: HOUR,
    seconds: 20,
    script: async (cell) => {
      await cell.until(FROM);
      cell.front.revoke();
    },
  },
];

/** A few of them that take little time. */
export const QUICK = ["hang", "500", "revoked"];
