import { randomBytes } from "node:crypto";
import { KeylessError } from "../errors/keyless-error.js";
import { MovableClock } from "./clock.js";
import { CONTROL_PATH } from "./control.js";
import { FaultQueue } from "./faults.js";
import { createFoundryApp } from "./foundry.js";
import { hostEnvironments } from "./hosts.js";
import { APP_SERVICE_PATH, createIdentityApp, IMDS_PATH } from "./identity.js";
import type { IdentitySettings } from "./identity-settings.js";
import { createJobTokens } from "./job-tokens.js";
import { RequestLog } from "./log.js";
import { readOptions } from "./options.js";
import { PlatformCache } from "./platform-cache.js";
import { ReplyQueue } from "./replies.js";
import { Resource } from "./resource.js";
import { type SecureServer, startSecure } from "./secure.js";
import { listen } from "./server.js";
import { createTokenAuthority, PRINCIPAL } from "./tokens.js";
import type { Emulator, EmulatorEnvironment, EmulatorOptions } from "./types.js";

/**
 * Starts the emulator. Throws a KeylessError: `emulator/invalid-option`, `emulator/port-in-use` or
 * `emulator/listen-failed`.
 *
 * @example
 * ```ts
 * import { startEmulator } from "copilot-keyless/emulator";
 *
 * await using emulator = await startEmulator({
 *   tokenLifetimeSeconds: 2,
 *   reply: ({ toolResults }) =>
 *     toolResults.length === 0
 *       ? { toolCalls: [{ name: "weather", arguments: { city: "Graz" } }] }
 *       : `It is ${toolResults[0].text}.`,
 * });
 * Object.assign(process.env, emulator.env); // the app under test now runs against it
 * emulator.faults.add({ server: "foundry", kind: "status", status: 401 });
 * // ... run the app, then check its requests:
 * emulator.requests.filter((request) => request.status === 401).map((request) => request.tokenId);
 * ```
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = readOptions(options);
  const { model } = settings;
  const clock = new MovableClock(settings.clock);
  const log = new RequestLog(clock, settings.logLimit);
  const faults = new FaultQueue();
  const tokens = await createTokenAuthority(clock);
  const secret = randomBytes(32).toString("hex");
  const clientSecret = randomBytes(30).toString("base64url");
  const federatedToken = await tokens.federate();
  const jobs = await createJobTokens(clock);
  const resource = new Resource(settings, clock);
  const replies = new ReplyQueue();
  const reset = () => {
    for (const queue of [faults, replies, log]) queue.clear();
    resource.reset();
  };
  let lifetimes = 0;

  const identitySettings: IdentitySettings = {
    clock,
    log,
    faults,
    tokens,
    platformCache: settings.platformCache ? new PlatformCache(clock) : undefined,
    tokenRevocation: settings.tokenRevocation,
    secret,
    clientSecret,
    federatedToken,
    jobs,
    lifetimeOf: (resource) => {
      lifetimes += 1;
      return settings.lifetimeOf({ resource, count: lifetimes });
    },
  };
  const foundryApp = createFoundryApp({
    clock,
    log,
    faults,
    tokens,
    resource,
    replies,
    reset,
    env: () => env,
    audiences: settings.audiences,
    reply: replies.before(settings.reply),
    chunkDelayMs: settings.chunkDelayMs,
    allowOrigins: settings.allowOrigins,
  });
  const identity = await listen(createIdentityApp(identitySettings), settings.identityPort, "identityPort");
  const listening = listen(foundryApp, settings.port, "port", { webSockets: true });
  const foundry = await listening.catch(async (error: unknown) => {
    await identity.close();
    throw error;
  });

  const endpoint = `${identity.url}${APP_SERVICE_PATH}`;
  const variables = {
    FOUNDRY_RESOURCE_URL: foundry.url,
    FOUNDRY_TOKEN_SCOPE: "https://ai.azure.com/.default",
    FOUNDRY_MODEL_NAME: model,
  };
  const env: EmulatorEnvironment = {
    IDENTITY_ENDPOINT: endpoint,
    IDENTITY_HEADER: secret,
    AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
    ...variables,
  };
  const hosts = hostEnvironments({
    identityUrl: identity.url,
    endpoint,
    secret,
    foundryUrl: foundry.url,
    model,
    resource: variables,
    jobs,
  });
  let secure: Promise<SecureServer> | undefined;
  let stopping: Promise<void> | undefined;
  const stop = () => {
    const closeSecure = async () => (await secure?.catch(() => undefined))?.close();
    stopping ??= Promise.all([identity.close(), foundry.close(), closeSecure()]).then(() => {});
    return stopping;
  };
  const assertRunning = () => {
    if (!stopping) return;
    throw new KeylessError("emulator/closed", "The emulator was stopped", { hint: "Start another." });
  };
  const whileRunning =
    <Arguments extends unknown[], Result>(call: (...args: Arguments) => Result) =>
    (...args: Arguments): Result => {
      assertRunning();
      return call(...args);
    };
  return {
    env,
    agentOptions: { env },
    controlUrl: `${foundry.url}${CONTROL_PATH}`,
    hosts,
    startSecureHosts: async () => {
      assertRunning();
      secure ??= startSecure(identitySettings, variables, hosts);
      return (await secure).hosts;
    },
    identity: {
      url: identity.url,
      port: identity.port,
      endpoint,
      imdsEndpoint: `${identity.url}${IMDS_PATH}`,
      authorityHost: identity.url,
      clientSecret,
      federatedToken,
      ...PRINCIPAL,
    },
    foundry: {
      url: foundry.url,
      port: foundry.port,
      get deployments() {
        return resource.deployments;
      },
      setRoles: whileRunning((roles) => resource.setRoles(roles)),
      setDeployments: whileRunning((deployments) => resource.setDeployments(deployments)),
      setQuota: whileRunning((deployment, quota) => resource.setQuota(deployment, quota)),
    },
    requests: log.records,
    counts: log.counts,
    faults: { add: whileRunning((fault) => faults.add(fault)), clear: () => faults.clear() },
    replies: { add: whileRunning((reply) => replies.add(reply)), clear: () => replies.clear() },
    revokeTokens: whileRunning((selection) => tokens.revokeAll(selection)),
    revoke: whileRunning((token) => tokens.revoke(token)),
    advanceClock: whileRunning((ms) => clock.advance(ms)),
    reset: whileRunning(reset),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
