//! The host of a browser or of workerd: `fetch`, `setTimeout`, and an executor that runs as a microtask.

use js_sys::{Date, Function, Math, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use copilot_keyless::schedule::Now;

use crate::executor;
use crate::tokens::{Host, Tokens};

#[wasm_bindgen]
extern "C" {
    fn fetch(url: &str, init: &Object) -> Promise;
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(done: &Function, ms: f64);
    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(task: &Function);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn monotonic() -> f64;

    type Response;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Response) -> u16;
    #[wasm_bindgen(method)]
    fn text(this: &Response) -> Promise;
}

thread_local! {
    static RUN: Function = Closure::<dyn FnMut()>::new(executor::run).into_js_value().unchecked_into();
}

struct Web;

impl Host for Web {
    fn now(&self) -> Now {
        Now {
            wall: Date::now() as i64,
            mono: monotonic() as i64,
        }
    }

    fn random(&self) -> f64 {
        Math::random()
    }

    async fn sleep(&self, ms: i64) {
        let waited = Promise::new(&mut |resolve, _| set_timeout(&resolve, ms as f64));
        let _ = JsFuture::from(waited).await;
    }

    async fn get(&self, url: &str, headers: &[(&str, &str)]) -> (u16, String) {
        match exchange(url, headers).await {
            Ok(answer) => answer,
            Err(reason) => (0, format!("{reason:?}")),
        }
    }
}

async fn exchange(url: &str, headers: &[(&str, &str)]) -> Result<(u16, String), JsValue> {
    let fields = Object::new();
    for (name, value) in headers {
        Reflect::set(&fields, &(*name).into(), &(*value).into())?;
    }
    let init = Object::new();
    Reflect::set(&init, &"headers".into(), &fields)?;
    let response: Response = JsFuture::from(fetch(url, &init)).await?.unchecked_into();
    let text = JsFuture::from(response.text()).await?;
    Ok((response.status(), text.as_string().unwrap_or_default()))
}

/// The tokens, for JavaScript.
#[wasm_bindgen]
pub struct TokenSource(Tokens<Web>);

#[wasm_bindgen]
impl TokenSource {
    /// Asks the endpoint of App Service, or one that passes on to it.
    #[wasm_bindgen(constructor)]
    pub fn new(endpoint: &str, header: &str, scope: &str) -> Result<TokenSource, JsError> {
        executor::on_ready(|| RUN.with(queue_microtask));
        Ok(Self(Tokens::new(Web, endpoint, header, scope)?))
    }

    /// Resolves with the token.
    pub fn token(&self) -> Promise {
        let tokens = self.0.clone();
        promise(async move {
            match tokens.token().await {
                Ok(token) => Ok(JsValue::from_str(&token)),
                Err(error) => Err(JsError::from(error).into()),
            }
        })
    }

    /// Resolves when no request is under way: for `waitUntil` of a worker.
    pub fn idle(&self) -> Promise {
        let tokens = self.0.clone();
        promise(async move {
            tokens.idle().await;
            Ok(JsValue::UNDEFINED)
        })
    }
}

fn promise(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    let mut future = Some(future);
    Promise::new(&mut |resolve, reject| {
        let Some(future) = future.take() else { return };
        executor::spawn(async move {
            let _ = match future.await {
                Ok(value) => resolve.call1(&JsValue::UNDEFINED, &value),
                Err(error) => reject.call1(&JsValue::UNDEFINED, &error),
            };
        });
    })
}
