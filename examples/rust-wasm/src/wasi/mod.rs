//! The host: `wasi:http` and `wasi:clocks`.

mod reactor;

use copilot_keyless::schedule::Now;
use tokens::tokens::{Host, Tokens};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, IncomingResponse, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;
use wasip2::random::random::get_random_u64;

use reactor::{block_on, ready};

const SCOPE: &str = "https://ai.azure.com/.default";

struct Wasi;

impl Host for Wasi {
    fn now(&self) -> Now {
        let wall = wall_clock::now();
        Now {
            wall: wall.seconds as i64 * 1000 + i64::from(wall.nanoseconds / 1_000_000),
            mono: (monotonic_clock::now() / 1_000_000) as i64,
        }
    }

    fn random(&self) -> f64 {
        get_random_u64() as f64 / 2_f64.powi(64)
    }

    async fn sleep(&self, ms: i64) {
        ready(monotonic_clock::subscribe_duration(ms as u64 * 1_000_000)).await;
    }

    async fn get(&self, url: &str, headers: &[(&str, &str)]) -> (u16, String) {
        match exchange(url, headers).await {
            Ok(answer) => answer,
            Err(reason) => (0, reason),
        }
    }
}

async fn exchange(url: &str, headers: &[(&str, &str)]) -> Result<(u16, String), String> {
    let fields = Fields::new();
    for (name, value) in headers {
        let value = value.as_bytes().to_vec();
        fields.append(name, &value).map_err(|error| error.to_string())?;
    }
    let (scheme, rest) = url.split_once("://").ok_or("not a URL")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let request = OutgoingRequest::new(fields);
    let scheme = if scheme == "http" {
        Scheme::Http
    } else {
        Scheme::Https
    };
    request.set_scheme(Some(&scheme)).map_err(|()| "no scheme")?;
    request
        .set_authority(Some(authority))
        .map_err(|()| "no authority")?;
    request.set_path_with_query(Some(path)).map_err(|()| "no path")?;
    let answer = handle(request, None).map_err(|error| error.to_string())?;
    ready(answer.subscribe()).await;
    let response = answer.get().ok_or("no answer")?.map_err(|()| "taken")?;
    read(response.map_err(|error| error.to_string())?).await
}

async fn read(response: IncomingResponse) -> Result<(u16, String), String> {
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let mut bytes = Vec::new();
    loop {
        ready(stream.subscribe()).await;
        match stream.read(64 * 1024) {
            Ok(piece) => bytes.extend(piece),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok((response.status(), String::from_utf8_lossy(&bytes).into_owned()))
}

/// Prints one line a second.
pub(crate) fn main() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let (endpoint, header) = (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER"));
    let seconds: u32 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let tokens = Tokens::new(Wasi, &endpoint, &header, SCOPE).expect("the environment names an endpoint");
    block_on(async move {
        for _ in 0..seconds {
            match tokens.token().await {
                Ok(token) => println!("a token of {} characters", token.len()),
                Err(error) => println!("{error}"),
            }
            Wasi.sleep(1_000).await;
        }
    });
}
