// Runs the checks against the embedded emulator.

import { startEmulator } from "copilot-keyless/emulator";
import { live } from "./run.mjs";

/**
 * Runs the checks against an emulator of their own. Puts its environment into `process.env`, where
 * `@azure/identity` reads it, and takes it out afterwards. `settings` are options of the emulator;
 * `prepare` gets it first.
 */
export async function liveEmulated({ prepare = () => {}, settings, ...options }) {
  const emulator = await startEmulator({ chunkDelayMs: 0, ...settings });
  // The checks are about Azure's own routes, not about `/v1`, which a bare address would get.
  const routes = { FOUNDRY_RESOURCE_URL: `${emulator.foundry.url}/openai/v1/` };
  const env = { ...emulator.env, ...routes, AZURE_POD_IDENTITY_AUTHORITY_HOST: emulator.identity.url };
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    await prepare(emulator);
    return await live({ ...options, emulated: true });
  } finally {
    await emulator.stop();
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
