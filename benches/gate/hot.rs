//! Calls each hot function of the core many times, for a program that counts instructions. A
//! function `hot_<name>` holds the calls of one; the counter adds up what runs inside of it.
//! A random hash or a clock would give other counts on each run, so there is none.

use std::hint::black_box;

use copilot_keyless::diagnosis::{FailedRequest, diagnose};
use copilot_keyless::endpoint::{self, Options};
use copilot_keyless::gateway::{Usage, Wanted};
use copilot_keyless::provider::{self, ProviderRequest};
use copilot_keyless::schedule::{Answer, Decision, Now, RefreshPolicy, Schedule};
use copilot_keyless::simulate::{RefreshScenario, TokenScript, simulate};
use copilot_keyless::token::{parse_instant, parse_token_response};

const WALL: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;
const CALLS: usize = 200;

/// Defines `hot_<name>`, and the list of all.
macro_rules! hot {
    ($($(#[$attribute:meta])* $name:ident = $call:expr;)*) => {
        $(
            $(#[$attribute])*
            #[inline(never)]
            #[unsafe(no_mangle)]
            fn $name() {
                for _ in 0..CALLS {
                    black_box($call);
                }
            }
        )*
        const ALL: &[fn()] = &[$($name),*];
    };
}

hot! {
    hot_parse_token_response = parse_token_response(black_box(&managed_answer()), WALL, |_| None);
    hot_parse_instant = parse_instant(black_box("1/16/2020 5:24:12 AM +00:00"), |_| None);
    hot_schedule_first_token = fresh_schedule();
    /// A thousand calls with a token that is fresh, on one schedule.
    hot_schedule_request = {
        let mut schedule = fresh_schedule();
        for ms in 0..1_000 {
            black_box(schedule.request(at(60_000 + ms)));
        }
    };
    hot_endpoint_parse = endpoint::parse(
        black_box("https://myres.services.ai.azure.com/api/projects/team/openai/v1/responses"),
        &Options::default(),
    );
    hot_provider_plan = provider::plan(black_box(&ProviderRequest {
        endpoint: Some("https://myres.openai.azure.com".to_owned()),
        model: Some("gpt-5.5".to_owned()),
        deployment: Some("team-gpt".to_owned()),
        ..ProviderRequest::default()
    }));
    hot_diagnose = diagnose(black_box(&FailedRequest {
        endpoint: Some("https://myres.openai.azure.com".to_owned()),
        status: 401,
        body: Some(MISSING_ROLE.into()),
        now: Some(WALL),
        ..FailedRequest::default()
    }));
    hot_gateway_wanted = Wanted::read(black_box("/openai/v1/responses"), black_box(BODY));
    hot_gateway_usage = Usage::of(black_box(TAIL));
    hot_simulate_refresh = simulate(black_box(&RefreshScenario {
        duration_ms: HOUR,
        token: TokenScript {
            lifetimes_ms: vec![HOUR / 4],
            ..TokenScript::default()
        },
        ..RefreshScenario::default()
    }));
}

const MISSING_ROLE: &str = r#"{"error":{"code":"PermissionDenied","message":"The principal `4f1c` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform `POST /openai/v1/responses` operation."}}"#;
const BODY: &[u8] = br#"{"model":"gpt-5.5","input":[{"role":"user","content":"Hello, what is new?"}],"stream":true,"store":false}"#;
const TAIL: &str = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-5.5\",\"usage\":{\"input_tokens\":1200,\"output_tokens\":87,\"total_tokens\":1287}}}\n\n";

/// An answer of the identity endpoint of App Service.
fn managed_answer() -> Vec<u8> {
    let token = "a".repeat(1_600);
    format!(r#"{{"access_token":"{token}","expires_on":"1700086400","resource":"https://ai.azure.com","token_type":"Bearer"}}"#)
        .into_bytes()
}

/// A schedule that has a token of an hour.
fn fresh_schedule() -> Schedule {
    let mut schedule = Schedule::new(RefreshPolicy::default()).unwrap();
    let Decision::Wait { flight, .. } = schedule.request(at(0)) else {
        panic!("a schedule without a token does not wait for one");
    };
    let answer = Answer {
        requested: at(0),
        expires_on: (WALL + HOUR) as f64,
        refresh_after: None,
    };
    schedule.acquired(flight, answer, at(50), 0.5);
    schedule
}

fn at(ms: i64) -> Now {
    Now {
        wall: WALL + ms,
        mono: ms,
    }
}

fn main() {
    for hot in ALL {
        hot();
    }
}
