//! The shortest proxy that hyper allows, with a pool of connections: it knows one token, checks no key,
//! and repeats nothing. Prints its address.

use std::error::Error;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::http::uri::{Authority, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// As the gateway has it, so that the two differ by what they do.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Pool = Client<HttpConnector, Incoming>;

async fn pass(
    pool: Pool,
    to: Authority,
    mut request: Request<Incoming>,
) -> Result<Response<Incoming>, Box<dyn Error + Send + Sync>> {
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(to);
    *request.uri_mut() = Uri::from_parts(parts)?;
    let headers = request.headers_mut();
    for name in [HOST, CONNECTION, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers.remove("api-key");
    headers.insert(
        AUTHORIZATION,
        HeaderValue::from_static("Bearer token-of-the-bench"),
    );
    let mut response = pool.request(request).await?;
    for name in [CONNECTION, TRANSFER_ENCODING] {
        response.headers_mut().remove(name);
    }
    Ok(response)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let address: Uri = std::env::args().nth(1).unwrap_or_default().parse()?;
    let to = address.into_parts().authority.ok_or("no address")?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pool: Pool = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(64)
        .build(connector);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (pool, to) = (pool.clone(), to.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| pass(pool.clone(), to.clone(), request));
            let _: Result<(), hyper::Error> = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
