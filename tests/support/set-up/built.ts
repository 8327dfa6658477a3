// Rejects a dist/ that was built from other sources.

import { script } from "../scripts.js";

export default async function setUp(): Promise<void> {
  const { checkBuilt } = await script("build");
  try {
    checkBuilt();
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string };
    throw new Error(`${message}. ${hint}`);
  }
}
