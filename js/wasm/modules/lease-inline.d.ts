/** The deflated `.wasm` of the module that has the rules of a lease, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
