/** The core's `.wasm`, deflated, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
