//! Loads the component of copilot-keyless in a Rust host. For hosts that load WebAssembly
//! components anyway; any other Rust program depends on the crate directly.

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result, Store};

/// The types and functions of `wit/copilot-keyless.wit`.
#[allow(missing_docs, reason = "generated; the documentation is in the WIT file")]
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "copilot-keyless",
        additional_derives: [PartialEq],
    });
}

use bindings::CopilotKeyless;
use bindings::exports::copilot_keyless::core::{endpoint, types::KeylessError};

/// A loaded component and its store.
pub struct Core {
    /// The store, which every call takes.
    pub store: Store<()>,
    /// The interfaces, such as `core.api.copilot_keyless_core_endpoint()`.
    pub api: CopilotKeyless,
}

impl Core {
    /// Compiles and instantiates a component, given the bytes of `component.wasm`. The linker is
    /// empty, so the component has no access to this program.
    pub fn load(component: &[u8]) -> Result<Self> {
        let engine = Engine::default();
        let component = Component::from_binary(&engine, component)?;
        let mut store = Store::new(&engine, ());
        let api = CopilotKeyless::instantiate(&mut store, &component, &Linker::new(&engine))?;
        Ok(Self { store, api })
    }

    /// Parses an endpoint without options.
    pub fn parse_endpoint(
        &mut self,
        url: &str,
    ) -> Result<std::result::Result<endpoint::Endpoint, KeylessError>> {
        let options = endpoint::EndpointOptions {
            type_: None,
            api_version: None,
            scope: None,
        };
        let endpoints = self.api.copilot_keyless_core_endpoint();
        endpoints.call_parse_endpoint(&mut self.store, url, &options)
    }
}
