//! Checks extreme numbers and settings: no panic, no overflow (these tests run with overflow
//! checks), and no token outside of the policy's bounds.

use copilot_keyless::Error;
use copilot_keyless::answer::retry_after_ms;
use copilot_keyless::diagnosis::{FailedRequest as Refusal, check_token, diagnose};
use copilot_keyless::request::identity::{Answer as IdentityAnswer, judge};
use copilot_keyless::request::probe;
use copilot_keyless::schedule::{Answer, Decision, Failure, FailureKind, Now, RefreshPolicy, Schedule};
use copilot_keyless::token::{Lifetime, clock_ahead, corrected_expiry, parse_token_response, seems_expired};
use proptest::prelude::*;

/// The limits of arithmetic.
fn extreme() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(i64::MIN),
        Just(i64::MIN + 1),
        Just(i64::MAX),
        Just(i64::MAX - 1),
        Just(0),
        Just(-1),
        Just(9_007_199_254_740_991),
        Just(1_700_000_000_000),
        (-5_i64..5).prop_map(|by| 1_700_000_000_000 + by),
        any::<i64>(),
    ]
}

fn policy(fields: &[i64; 10]) -> RefreshPolicy {
    let [
        refresh_before_expiry_ms,
        long_lived_ms,
        jitter_ms,
        min_remaining_ms,
        retry_min_ms,
        retry_max_ms,
        wait_timeout_ms,
        background_timeout_ms,
        invalidate_interval_ms,
        max_lifetime_ms,
    ] = *fields;
    RefreshPolicy {
        refresh_before_expiry_ms,
        long_lived_ms,
        jitter_ms,
        min_remaining_ms,
        retry_min_ms,
        retry_max_ms,
        wait_timeout_ms,
        background_timeout_ms,
        invalidate_interval_ms,
        max_lifetime_ms,
    }
}

/// Values of a policy. Most are within the bounds, so that many policies are valid.
fn field() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0_i64..=31_536_000_000, 4 => 1_i64..100, 1 => extreme()]
}

#[test]
fn a_schedule_takes_no_policy_that_is_out_of_bounds() {
    let refused = |policy: RefreshPolicy| {
        let error: Error = Schedule::new(policy).unwrap_err();
        assert_eq!(error.code().as_str(), "policy/invalid");
        error.message().to_owned()
    };
    for bad in [-1, i64::MIN, i64::MAX, 31_536_000_001] {
        let with = |index: usize| {
            let mut fields = [1_000; 10];
            *fields.get_mut(index).unwrap() = bad;
            policy(&fields)
        };
        for index in 0..10 {
            refused(with(index));
        }
    }
    // Otherwise callers would get an expired token for a minute.
    let message = refused(RefreshPolicy {
        min_remaining_ms: -60_000,
        ..RefreshPolicy::default()
    });
    assert!(message.starts_with("minRemainingMs must be"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_times_and_no_policy_make_a_schedule_overflow(
        fields in proptest::array::uniform10(field()),
        times in proptest::collection::vec((extreme(), extreme()), 12),
        expires in prop_oneof![any::<f64>(), extreme().prop_map(|at| at as f64)],
        refresh_after in proptest::option::of(any::<f64>()),
        retry_after_ms in proptest::option::of(extreme()),
        random in any::<f64>(),
    ) {
        let policy = policy(&fields);
        let Ok(mut schedule) = Schedule::new(policy) else { return Ok(()) };
        let mut times = times.into_iter().map(|(wall, mono)| Now { wall, mono }).cycle();
        let mut now = || times.next().unwrap();
        let mut flight = 0;
        if let Decision::Wait { flight: started, .. } = schedule.request(now()) {
            flight = started;
        }
        let answer = Answer { requested: now(), expires_on: expires, refresh_after };
        let failure = Failure { kind: FailureKind::of(Some(503), false), retry_after_ms };
        schedule.failed(flight, now(), failure, random);
        schedule.acquired(flight, answer, now(), random);
        let then = now();
        if let Decision::Use { .. } = schedule.request(then) {
            prop_assert!(schedule.status(then).expires_on.is_some());
        }
        schedule.refresh(now());
        schedule.wake(now());
        schedule.next_wake(now());
        schedule.timed_out(flight.wrapping_add(1), now(), Some(i64::MAX), random);
        schedule.invalidate(now());
        schedule.challenged(now());
        schedule.rejected_again(flight, now(), random);
        schedule.status(now());
    }

    #[test]
    fn no_time_makes_anything_else_overflow(
        one in extreme(), two in extreme(), three in extreme(), four in extreme(),
        number in any::<f64>(),
        claim in prop_oneof![Just("9007199254740991".to_owned()), Just("1e300".to_owned()), (0_i64..4_000_000_000).prop_map(|at| at.to_string())],
        minutes in any::<i32>(),
        forever in any::<bool>(),
    ) {
        if let Ok(lifetime) = Lifetime::new(one, two, Some(three), four) {
            prop_assert!(lifetime.length() > 0);
        }
        let _ = Lifetime::new(one, two, None, i64::MAX).map(|lifetime| lifetime.length());
        let _ = Lifetime::of_access_token(one, number, Some(number), four);
        seems_expired(number, one);
        corrected_expiry("opaque", number, one, two);
        clock_ahead("Sun, 06 Nov 1994 08:49:37 GMT", one);
        retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", "", Some(one));
        let body = format!(r#"{{"access_token":"t","expires_on":"2020-04-15T20:05:35","expires_in":{claim}}}"#);
        let _ = parse_token_response(body.as_bytes(), one, |_| Some(minutes));
        let headers = [("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")];
        for status in [200, 429] {
            judge(&IdentityAnswer { status, requested_at: one, answered_at: Some(two), body: body.as_str().into(), headers: headers.into(), random: number, ..IdentityAnswer::default() });
        }
        let times = if forever { format!(r#""nbf":{claim}"#) } else { format!(r#""exp":{claim}"#) };
        let claims = format!(r#"{{"aud":"https://ai.azure.com",{times}}}"#);
        let token = format!("e30.{}.x", base64(&claims));
        let failure = Refusal {
            endpoint: Some("https://myres.openai.azure.com".to_owned()),
            status: 401,
            now: Some(one),
            token: Some(token.into()),
            headers: headers.into(),
            ..Refusal::default()
        };
        diagnose(&failure);
        probe::judge(&failure);
        check_token(&failure);
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
