/** The `.wasm` of the module that sends requests, deflated, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
