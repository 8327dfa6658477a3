// Rejects a dist/ that was not built from the sources that are here.

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
