//! Exports the network requests. Its types are hand-written, in `js/wasm/modules/net.d.ts`. Passes values
//! one by one, because objects with serde would make the module larger by a third.

use std::pin::pin;

use futures_util::future::{Either, select};
use js_sys::{Array, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

use crate::fetch::{self, Answer, Request};
use copilot_keyless::answer::model::Format;

/// [`fetch::send`]. `headers` alternates names and values. Returns `[status, body, ...headers]`, or
/// an empty array if `cancelled` settles first.
#[wasm_bindgen]
pub async fn send(
    url: String,
    headers: Vec<String>,
    body: Option<String>,
    token: Option<String>,
    timeout_ms: u32,
    cancelled: Promise,
) -> Array {
    let request = Request {
        url,
        headers: pairs(headers),
        body,
        token,
        timeout_ms,
    };
    let sending = pin!(fetch::send(request));
    let Either::Left((answer, _)) = select(sending, JsFuture::from(cancelled)).await else {
        return Array::new();
    };
    flat(&answer)
}

/// [`fetch::Exchange`].
#[wasm_bindgen]
pub struct Exchange(fetch::Exchange);

#[wasm_bindgen]
impl Exchange {
    /// [`fetch::Exchange::new`], for the `wireApi` of a provider's config.
    #[wasm_bindgen(constructor)]
    #[allow(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "values cross the boundary one by one, and texts by value"
    )]
    pub fn new(
        url: String,
        headers: Vec<String>,
        body: Option<String>,
        token: Option<String>,
        timeout_ms: u32,
        wire_api: Option<String>,
    ) -> Self {
        let request = Request {
            url,
            headers: pairs(headers),
            body,
            token,
            timeout_ms,
        };
        Self(fetch::Exchange::new(request, Format::of(wire_api.as_deref())))
    }

    /// [`fetch::Exchange::next`]. Also undefined if `cancelled` settles first.
    pub async fn next(&mut self, cancelled: Promise) -> Option<String> {
        let reading = pin!(self.0.next());
        match select(reading, JsFuture::from(cancelled)).await {
            Either::Left((text, _)) => text,
            Either::Right(_) => None,
        }
    }

    /// [`fetch::Exchange::failure`], in the format of `send`. Empty if there is none.
    pub fn failure(&self) -> Array {
        self.0.failure().map(flat).unwrap_or_default()
    }
}

fn flat(answer: &Answer) -> Array {
    let values = Array::of2(&answer.status.into(), &answer.body.as_str().into());
    for (name, value) in &answer.headers {
        values.push(&(*name).into());
        values.push(&value.as_str().into());
    }
    values
}

fn pairs(values: Vec<String>) -> Vec<(String, String)> {
    let mut values = values.into_iter();
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        pairs.push((name, value));
    }
    pairs
}
