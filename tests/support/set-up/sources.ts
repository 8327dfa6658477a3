// Builds the WebAssembly module that tests of the sources load. What has not changed is not built again.

import { script } from "../scripts.js";

export default async function setUp(): Promise<void> {
  await (await script("wasm")).devModule();
}
