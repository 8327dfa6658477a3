/** The deflated `.wasm` of the gateway's module, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
