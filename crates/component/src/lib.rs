//! The bindings for the component model. They convert and forward, without decisions of their own.
//! The types are documented in `wit/copilot-keyless.wit`.
#![cfg(target_arch = "wasm32")]

mod diagnosis;
mod endpoint;
mod expiry;
mod provider;
mod schedule;
mod simulate;

#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "copilot-keyless" });
    export!(Component with_types_in self);

    use super::Component;
}

use bindings::exports::copilot_keyless::core as wit;
use wit::types::{KeylessError, Notice, ProviderType, WireApi};

/// Implements every interface.
struct Component;

impl From<copilot_keyless::Error> for KeylessError {
    fn from(error: copilot_keyless::Error) -> Self {
        Self {
            code: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            hint: error.next_step().map(str::to_owned),
        }
    }
}

fn notices(notices: Vec<copilot_keyless::Notice>) -> Vec<Notice> {
    notices
        .into_iter()
        .map(|notice| Notice {
            code: notice.code.as_str().to_owned(),
            message: notice.message,
        })
        .collect()
}

/// Converts between two enums with the same names, from left to right. `Name => Other` if two names
/// differ.
macro_rules! same_names {
    ($from:ty => $to:ty { $($name:ident $(=> $other:ident)?),+ $(,)? }) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                match value {
                    $(<$from>::$name => $crate::same_names!(@ $name $($other)?),)+
                }
            }
        }
    };
    (@ $name:ident) => { Self::$name };
    (@ $name:ident $other:ident) => { Self::$other };
}
use same_names;

same_names!(copilot_keyless::endpoint::ProviderType => ProviderType { Openai, Azure, Anthropic });
same_names!(ProviderType => copilot_keyless::endpoint::ProviderType { Openai, Azure, Anthropic });
same_names!(copilot_keyless::provider::WireApi => WireApi { Responses, Completions });
same_names!(WireApi => copilot_keyless::provider::WireApi { Responses, Completions });
