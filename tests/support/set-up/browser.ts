// Makes sure that there is a browser before its tests begin.

import { provideBrowser } from "../browser.js";

export default async function setUp(): Promise<void> {
  console.log(`Browser: ${await provideBrowser()}`);
}
