// @ts-expect-error: an example, without types
export { default } from "../../examples/rust-wasm/worker.mjs";
