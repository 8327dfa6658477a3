/** The deflated `.wasm` of the planning module, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
