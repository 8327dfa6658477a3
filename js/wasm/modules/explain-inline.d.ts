/** The deflated `.wasm` of the module that explains failures, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
