//! The surface of the module that sends requests: converts and forwards, decides nothing. The types on the other side are
//! hand-written, in `js/wasm/net.d.ts`. Values cross one by one: objects, by serde, would make the module larger by a third.

use std::pin::pin;

use futures_util::future::{Either, select};
use js_sys::{Array, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

use crate::net::{self, Request};

/// [`net::send`]. `headers` are names and values in turn, in the answer too: `[status, body, ...headers]`. The answer is empty if
/// `cancelled` settles before it comes.
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
    let sending = pin!(net::send(request));
    let Either::Left((answer, _)) = select(sending, JsFuture::from(cancelled)).await else {
        return Array::new();
    };
    let values = Array::of2(&answer.status.into(), &answer.body.into());
    for (name, value) in answer.headers {
        values.push(&name.into());
        values.push(&value.into());
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
