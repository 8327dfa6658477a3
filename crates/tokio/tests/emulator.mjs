// Starts the package's emulator for tests/emulator.rs: prints the environments of its hosts as one line
// of JSON, and runs until its input ends.

import { startEmulator } from "../../../dist/emulator.js";

const [lifetime = "3600", cache = "true"] = process.argv.slice(2);
const emulator = await startEmulator({
  tokenLifetimeSeconds: Number(lifetime),
  platformCache: cache === "true",
});
const { identity, controlUrl, env, hosts } = emulator;
const principal = {
  AZURE_TENANT_ID: hosts.githubActions.AZURE_TENANT_ID,
  AZURE_CLIENT_ID: hosts.githubActions.AZURE_CLIENT_ID,
  AZURE_AUTHORITY_HOST: identity.url,
};
const imds = { AZURE_POD_IDENTITY_AUTHORITY_HOST: identity.url };
const all = { ...(await emulator.startSecureHosts()), ...hosts, appService: env, imds };
const secrets = { clientSecret: identity.clientSecret, federatedToken: identity.federatedToken };
console.log(JSON.stringify({ controlUrl, hosts: all, principal, secrets }));
process.stdin.resume();
process.stdin.on("end", () => emulator.stop());
