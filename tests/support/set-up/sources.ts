// Builds the WebAssembly module for tests of the sources, if its inputs have changed.

import { script } from "../scripts.js";

export default async function setUp(): Promise<void> {
  await (await script("wasm")).devModule();
}
