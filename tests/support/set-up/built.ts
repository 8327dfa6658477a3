// Rejects a dist/ that was built from other sources. Unoptimized WebAssembly is accepted.

import { script } from "../scripts.js";

export default async function setUp(): Promise<void> {
  const { checkBuilt } = await script("build");
  try {
    checkBuilt({ quick: true });
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string };
    throw new Error(`${message}. ${hint}`);
  }
}
