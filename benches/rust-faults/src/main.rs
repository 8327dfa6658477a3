//! One program: `<client> <tokens> <seconds>`. Each second three callers use its client at once. Prints
//! how each call ended, as JSON.

mod blob;
mod model;
mod program;
mod theirs;

use std::time::{Duration, Instant};

use program::Program;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

const EVERY: Duration = Duration::from_secs(1);
const CALLERS: usize = 3;
/// How long a caller waits.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() {
    // For clients that take the provider of the process.
    let provider = rustls::crypto::ring::default_provider();
    provider.install_default().expect("there is none yet");
    let args: Vec<String> = std::env::args().collect();
    let seconds: u64 = args[3].parse().expect("a number of seconds");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the system has threads");
    let calls = runtime.block_on(async {
        let program = create(&args[1], &args[2]);
        println!("{}", json!({ "ready": true }));
        run(program, Duration::from_secs(seconds)).await
    });
    println!("{}", json!({ "calls": calls }));
    // Without a wait for tasks that hang.
    std::process::exit(0);
}

fn create(client: &str, tokens: &str) -> Arc<dyn Program> {
    match client {
        "azure_storage_blob" => blob::storage_blob(tokens),
        "object_store" => blob::object_store(tokens),
        "async-openai" => model::async_openai(tokens),
        "reqwest" => model::reqwest(tokens),
        "tower" => model::tower(tokens),
        _ => panic!("there is no client {client}"),
    }
}

async fn run(program: Arc<dyn Program>, duration: Duration) -> Vec<Value> {
    let began = Instant::now();
    let mut calls = JoinSet::new();
    let mut ticks = tokio::time::interval(EVERY);
    while began.elapsed() < duration {
        ticks.tick().await;
        for _ in 0..CALLERS {
            calls.spawn(call(Arc::clone(&program), began));
        }
    }
    calls.join_all().await
}

async fn call(program: Arc<dyn Program>, began: Instant) -> Value {
    let asked = Instant::now();
    let error = match tokio::time::timeout(PATIENCE, program.call()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    let at = asked.duration_since(began).as_millis() as u64;
    json!({ "at": at, "ms": asked.elapsed().as_millis() as u64, "error": error })
}
