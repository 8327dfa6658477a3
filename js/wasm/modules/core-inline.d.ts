/** The deflated `.wasm` of the core module, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
