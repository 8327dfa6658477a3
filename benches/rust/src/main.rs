//! One case of one system: `<system> <case>`. Prints the figures as a line of JSON; a line with a `fault`
//! asks for one at the emulator, and waits for a line of the input.

mod half_life;
mod systems;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use systems::System;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::JoinSet;

const SCOPE: &str = "https://ai.azure.com/.default";
const OTHER: &str = "https://cognitiveservices.azure.com/.default";

/// Callers that are served later than this were not served at once.
const AT_ONCE: Duration = Duration::from_millis(5);

fn main() {
    // For the peer: its client takes the provider of the process.
    let provider = rustls::crypto::ring::default_provider();
    provider.install_default().expect("there is none yet");
    let args: Vec<String> = std::env::args().collect();
    let (name, case) = (args[1].as_str(), args[2].as_str());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the system has threads");
    let report = match case {
        "cached-1" => cached(&runtime, name, 1),
        "cached-32" => cached(&runtime, name, 32),
        "cold" => runtime.block_on(cold(name)),
        "hang" => runtime.block_on(outage(name, &json!({ "kind": "hang" }), 15)),
        "500" => runtime.block_on(outage(name, &json!({ "kind": "status", "status": 500 }), 30)),
        "other-scope" => runtime.block_on(other_scope(name)),
        _ => panic!("no such case"),
    };
    println!("{report}");
    // Without a wait for tasks that hang.
    std::process::exit(0);
}

/// The time of a call that has the token, on one core.
fn cached(runtime: &tokio::runtime::Runtime, name: &str, threads: u32) -> Value {
    const CALLS: u32 = 200_000;
    const BATCHES: usize = 9;
    let system = systems::create(name);
    runtime
        .block_on(system.token(SCOPE))
        .expect("the endpoint answers");
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let began = Instant::now();
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let (system, handle) = (Arc::clone(&system), runtime.handle().clone());
                    std::thread::spawn(move || handle.block_on(system.calls(SCOPE, CALLS / threads.min(8))))
                })
                .collect();
            for worker in workers {
                worker.join().expect("no call panics");
            }
            let calls = f64::from(CALLS / threads.min(8)) * f64::from(threads);
            began.elapsed().as_nanos() as f64 * f64::from(threads.min(cores)) / calls
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    json!({ "ns": batches[BATCHES / 2] })
}

/// 1,000 callers without a token: how many of them fail.
async fn cold(name: &str) -> Value {
    let (failed, _) = crowd(&systems::create(name), 1_000, Duration::from_secs(15)).await;
    json!({ "failed": failed })
}

/// 100 callers while the token is good for about 298 s and the endpoint has a fault.
async fn outage(name: &str, fault: &Value, seconds: u64) -> Value {
    let system = systems::create(name);
    system.token(SCOPE).await.expect("the endpoint answers");
    system.near_its_end();
    add_fault(fault.clone()).await;
    let (failed, late) = crowd(&system, 100, Duration::from_secs(seconds)).await;
    json!({ "late": late, "failed": failed })
}

/// 100 callers with a fresh token while the request for another scope hangs.
async fn other_scope(name: &str) -> Value {
    let system = systems::create(name);
    system.token(SCOPE).await.expect("the endpoint answers");
    add_fault(json!({ "kind": "hang", "match": "cognitiveservices" })).await;
    let waiting = Arc::clone(&system);
    tokio::spawn(async move { waiting.token(OTHER).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (failed, late) = crowd(&system, 100, Duration::from_secs(5)).await;
    json!({ "late": late, "failed": failed })
}

/// Returns how many callers got no token in time, and how many not at once.
async fn crowd(system: &Arc<dyn System>, callers: u32, limit: Duration) -> (u32, u32) {
    let mut all = JoinSet::new();
    for _ in 0..callers {
        let system = Arc::clone(system);
        all.spawn(async move {
            let began = Instant::now();
            let got = tokio::time::timeout(limit, system.token(SCOPE)).await;
            (matches!(got, Ok(Ok(()))), began.elapsed())
        });
    }
    let ended = all.join_all().await;
    let failed = ended.iter().filter(|(served, _)| !served).count();
    let late = ended
        .iter()
        .filter(|(served, took)| !served || *took > AT_ONCE)
        .count();
    (failed as u32, late as u32)
}

async fn add_fault(mut fault: Value) {
    fault["server"] = "identity".into();
    println!("{}", json!({ "fault": fault }));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    lines.next_line().await.expect("the parent answers");
}
