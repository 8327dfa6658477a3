/** The deflated `.wasm` of the module that simulates the schedule, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
