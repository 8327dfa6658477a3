//! The bindings for JavaScript. They convert and forward, without decisions of their own. Their
//! types are hand-written, in `js/wasm/modules/*.d.ts`. Each module is a cargo feature, so that callers
//! load only what they use.
#![cfg(target_arch = "wasm32")]

#[cfg(feature = "plan")]
mod conversation;
#[cfg(feature = "core")]
mod core;
#[cfg(feature = "explain")]
mod explain;
#[cfg(feature = "net")]
mod fetch;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(feature = "lease")]
mod lease;
#[cfg(feature = "net")]
mod net;
#[cfg(any(feature = "plan", feature = "explain", feature = "simulate"))]
mod options;
#[cfg(any(feature = "plan", feature = "explain"))]
mod plan;
#[cfg(feature = "plan")]
mod rules;
#[cfg(feature = "simulate")]
mod simulate;
#[cfg(feature = "plan")]
mod turn;
#[cfg(any(feature = "core", feature = "plan", feature = "explain", feature = "simulate"))]
mod values;

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

#[cfg(feature = "plan")]
pub use self::conversation::*;
#[cfg(feature = "core")]
pub use self::core::*;
#[cfg(feature = "explain")]
pub use self::explain::*;
#[cfg(feature = "gateway")]
pub use self::gateway::*;
#[cfg(feature = "lease")]
pub use self::lease::*;
#[cfg(feature = "net")]
pub use self::net::*;
#[cfg(any(feature = "plan", feature = "explain"))]
pub use self::plan::*;
#[cfg(feature = "plan")]
pub use self::rules::*;
#[cfg(feature = "simulate")]
pub use self::simulate::*;
#[cfg(feature = "plan")]
pub use self::turn::*;
