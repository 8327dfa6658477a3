//! The host of a WASI component: prints a token's length each second, `<seconds>` times. Its endpoint comes from
//! the environment, as in App Service.

#[cfg(target_os = "wasi")]
mod wasi;

fn main() {
    #[cfg(target_os = "wasi")]
    wasi::main();
    #[cfg(not(target_os = "wasi"))]
    eprintln!("Build it for wasm32-wasip2.");
}
