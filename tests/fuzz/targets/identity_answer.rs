//! Judges any response of an identity endpoint: a token within its bounds, an error or a failure,
//! never the secret that was sent.
#![no_main]

use copilot_keyless::diagnosis::{FailedCredential, diagnose_credential};
use copilot_keyless::request::identity::{Answer, Source, Verdict, judge};
use copilot_keyless::token::MAX_LIFETIME_MS;
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "f00dfeedf00dfeedf00dfeedf00dfeed";

fuzz_target!(|given: (u16, u8, String, String, i64, u8)| {
    let (status, source, body, header, requested_at, attempt) = given;
    let source = [
        Source::AppService,
        Source::Imds,
        Source::WorkloadIdentity,
        Source::ClientSecret,
    ][usize::from(source) % 4];
    let verdict = judge(&Answer {
        source,
        status,
        headers: ["date", "retry-after"].map(|name| (name, header.as_str())).into(),
        body: format!("{body}{SECRET}").into(),
        secret: SECRET.into(),
        requested_at,
        attempt: attempt.into(),
        renews: attempt > 127,
        ..Answer::default()
    });
    match &verdict {
        // A server may return the secret itself as the token.
        Verdict::Token(token) => {
            let life = token.expires_on_timestamp.saturating_sub(requested_at);
            assert!(life > 0 && life <= MAX_LIFETIME_MS);
        }
        Verdict::Error(error) => assert!(!format!("{error:?}").contains(SECRET)),
        Verdict::Failure(failure) => {
            assert!(!format!("{failure:?}").contains(SECRET));
            let found = diagnose_credential(&FailedCredential {
                error: Some(failure.message.as_str().into()),
                status: failure.status,
                body: Some(format!("{body}{SECRET}").into()),
                ..FailedCredential::default()
            });
            assert!(!format!("{found:?}").contains(SECRET));
        }
        Verdict::Assertion(_) => unreachable!("no answer to a request for an assertion"),
        Verdict::NotRenewed(_) => assert!(attempt > 127),
    }
});
