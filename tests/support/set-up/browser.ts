// Provides a browser before the browser tests begin.

import { provideBrowser } from "../browser.js";

export default async function setUp(): Promise<void> {
  console.log(`Browser: ${await provideBrowser()}`);
}
