/** The core's `.wasm`, in base64. Written by the build. */
declare const wasm: string;
export default wasm;
