// Tests systems over ManagedIdentityCredential with an emulated App Service.
import { ManagedIdentityCredential } from "@azure/identity";
import { startEmulator } from "copilot-keyless/emulator";
import { HOUR, putClocksForward, sleep, timed } from "./clocks.mjs";
import { outcomeOf, report, SCOPE, systemUnderTest } from "./systems.mjs";

const system = systemUnderTest();
const scenario = process.argv[3];
const SLOW_MS = 500;
const PATIENCE_MS = 2_000;

/** Returns the token's id, because reports must not contain tokens. */
const idOf = (token) => token && JSON.parse(Buffer.from(token.split(".")[1], "base64url")).uti;

async function emulated(tokenLifetimeSeconds, options = {}) {
  // About the libraries' own caches.
  const emulator = await startEmulator({ tokenLifetimeSeconds, platformCache: false });
  Object.assign(process.env, emulator.env);
  const credential = new ManagedIdentityCredential(options);
  const provide = await system.create(credential);
  return { emulator, credential, provide };
}

/** Past half the lifetime of 24 h, including jitter: 11 h are left. */
async function due(fault) {
  // Without MSAL's retries the failure is the same, 18 s earlier.
  const { emulator, provide } = await emulated(24 * 3_600, { retryOptions: { maxRetries: 0 } });
  const first = await provide();
  putClocksForward(13 * HOUR);
  const handle = emulator.faults.add({ server: "identity", times: Number.POSITIVE_INFINITY, ...fault });
  const impatient = sleep(PATIENCE_MS).then(() => ({ error: "still waiting" }));
  const { token, error, ms } = await timed(() => Promise.race([outcomeOf(provide), impatient]));
  // A refresh in the background is on its way.
  for (let waited = 0; waited < 5_000 && handle.hits === 0; waited += 50) await sleep(50);
  return {
    ms,
    ...(error ? { error } : { sameToken: token === first }),
    requests: emulator.counts.identity,
    faults: handle.hits,
  };
}

const SCENARIOS = {
  async "cold-callers"() {
    const { emulator, provide } = await emulated(3_600);
    const tokens = await Promise.all(Array.from({ length: 1_000 }, () => provide()));
    return { requests: emulator.counts.identity, tokens: new Set(tokens).size };
  },
  slow: () => due({ kind: "delay", delayMs: SLOW_MS }),
  hang: () => due({ kind: "hang" }),
  reset: () => due({ kind: "reset" }),
  async "short-token"() {
    const { emulator, provide } = await emulated(240);
    for (let n = 0; n < 10; n += 1) await provide();
    return { requests: emulator.counts.identity };
  },
  // The resource has revoked the token with a claims challenge, which the credential receives if it
  // can.
  async revoked() {
    const { emulator, credential, provide } = await emulated(3_600);
    const revoked = await provide();
    emulator.revokeTokens();
    const challenge = JSON.stringify({
      access_token: { nbf: { essential: true, value: String(Math.floor(Date.now() / 1000)) } },
    });
    const { token, error } = await outcomeOf(
      system.reject(provide, revoked)
        ? provide
        : async () => (await credential.getToken(SCOPE, { claims: challenge })).token,
    );
    return {
      requests: emulator.counts.identity,
      ...(error ? { error } : { sameToken: idOf(token) === idOf(revoked) }),
    };
  },
};

report(await SCENARIOS[scenario]());
process.exit();
