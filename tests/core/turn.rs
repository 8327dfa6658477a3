//! Tokens and failures of a session's turn.

use copilot_keyless::Code;
use copilot_keyless::schedule::Now;
use copilot_keyless::turn::{Reason, Turn};

const AGAIN: &str = Code::TokenRejectedAgain.as_str();

fn at(ms: i64) -> Now {
    Now { wall: ms, mono: ms }
}

/// A turn whose member 0 was given a token, which the resource has rejected as often.
fn rejected(times: usize) -> Turn {
    let mut turn = Turn::default();
    turn.note("user.message", false);
    assert!(turn.grant(0, 1));
    for _ in 0..times {
        assert!(turn.grant(0, 1));
        assert_eq!(turn.failed(0, false, true), Some(1));
    }
    turn
}

#[test]
fn a_rejected_token_is_sent_once_more_and_no_third_time() {
    assert!(rejected(0).grant(0, 1) && rejected(1).grant(0, 1));
    let mut turn = rejected(2);
    assert!(!turn.grant(0, 1) && turn.grant(0, 2));
    // A new one in between changes nothing.
    assert!(!turn.grant(0, 1));
    // In the next turn the role may have been assigned. A prompt of a sub-agent begins none.
    turn.note("user.message", true);
    assert!(!turn.grant(0, 1));
    turn.note("user.message", false);
    assert!(turn.grant(0, 1));
}

#[test]
fn only_rejections_in_a_row_count() {
    for agent in [false, true] {
        let mut turn = rejected(1);
        turn.note("assistant.message", agent);
        turn.failed(0, agent, true);
        assert!(turn.grant(0, 1), "a request was served meanwhile");
        turn.failed(0, agent, true);
        assert!(!turn.grant(0, 1));
    }
    let mut turn = rejected(1);
    assert!(turn.grant(0, 2));
    turn.failed(0, false, true);
    assert!(turn.grant(0, 1), "another token was rejected meanwhile");
    turn.failed(0, false, false);
    assert!(turn.grant(0, 1), "a failure for another reason is none");
}

#[test]
fn a_rejection_is_about_the_last_token_of_its_member() {
    let mut turn = Turn::default();
    assert_eq!(turn.failed(0, false, true), None, "it was sent none");
    assert!(turn.grant(0, 1) && turn.grant(1, 1));
    turn.give(1, 2);
    assert_eq!(
        (turn.sent(0), turn.sent(1), turn.sent(2)),
        (Some(1), Some(2), None)
    );
    for _ in 0..2 {
        assert_eq!(turn.failed(1, false, true), Some(2));
    }
    assert!(turn.grant(0, 2) && !turn.grant(1, 2));
}

#[test]
fn the_requests_of_a_turn_share_one_wait() {
    let mut turn = Turn::default();
    assert_eq!(turn.ask(0, at(1_000)), None);
    assert_eq!(turn.ask(0, at(4_000)), Some(3_000));
    assert_eq!(turn.ask(1, at(4_000)), None, "another provider has its own");
    assert_eq!((turn.waited(0, at(9_000)), turn.waited(2, at(9_000))), (8_000, 0));
    // The clock that went further counts, and none runs back.
    assert_eq!(
        turn.waited(
            0,
            Now {
                wall: 500,
                mono: 3_000
            }
        ),
        2_000
    );
    // It ends with a token, with the turn, with the next one, and with an error that no wait cures.
    assert!(turn.grant(0, 1));
    assert_eq!(turn.ask(0, at(9_000)), None);
    turn.note("user.message", false);
    assert_eq!(turn.ask(0, at(9_500)), None);
    turn.forget();
    assert_eq!(turn.ask(0, at(9_600)), None);
    turn.refuse(0, "credential/network", Some(1));
    assert_eq!(turn.ask(0, at(9_700)), Some(100));
    turn.refuse(0, "credential/failed", None);
    assert_eq!(turn.ask(0, at(9_800)), None);
}

#[test]
fn a_turn_ends_when_there_is_no_use_in_asking_again() {
    let throttled = Code::CredentialThrottled.as_str();
    for (code, left, ends) in [
        (throttled, Some(1), false),
        (throttled, Some(0), true),
        (throttled, None, false),
        (Code::CredentialRefused.as_str(), None, true),
        (Code::CredentialRefused.as_str(), Some(9_000), true),
        ("sdk/unknown", None, false),
        ("", Some(1), false),
    ] {
        let mut turn = Turn::default();
        turn.failed(0, false, false);
        assert_eq!(
            turn.refuse(0, code, left),
            ends.then_some(Reason::Token),
            "{code}"
        );
    }
}

#[test]
fn the_reason_for_a_rejection_says_more_than_that_the_same_token_came_again() {
    let mut turn = rejected(1);
    assert_eq!(turn.refuse(0, AGAIN, None), Some(Reason::Failure));
    assert_eq!(turn.reason(0, 0), Reason::Failure);
    // Nothing is known of it: a sub-agent's failure, or one of the turn before.
    let mut turn = Turn::default();
    turn.failed(0, true, true);
    assert_eq!(turn.refuse(0, AGAIN, None), Some(Reason::Token));
    let mut turn = rejected(1);
    turn.forget();
    assert!(!turn.has_failed());
    assert_eq!(turn.refuse(0, AGAIN, None), Some(Reason::Token));
    assert_eq!(turn.refuse(1, "token/timeout", None), Some(Reason::Token));
}

#[test]
fn a_failure_without_a_status_repeats_the_error_of_the_token() {
    let mut turn = Turn::default();
    assert_eq!(
        (turn.reason(0, 0), turn.reason(0, 401)),
        (Reason::Request, Reason::Request)
    );
    turn.refuse(0, "credential/network", Some(1));
    assert_eq!(
        (turn.reason(0, 0), turn.reason(0, 401)),
        (Reason::Token, Reason::Request)
    );
    assert_eq!(turn.reason(1, 0), Reason::Request, "it is another provider's");
    // The status is not the resource's.
    turn.answer(0, "token/claims-challenge");
    assert_eq!(
        (turn.reason(0, 0), turn.reason(0, 400)),
        (Reason::Token, Reason::Token)
    );
    let answered = turn.clone();
    for over in [
        |turn: &mut Turn| assert!(turn.grant(0, 1)),
        |turn: &mut Turn| turn.give(0, 1),
        |turn: &mut Turn| turn.note("user.message", false),
        |turn: &mut Turn| turn.note("assistant.message", true),
    ] {
        let mut turn = answered.clone();
        over(&mut turn);
        assert_eq!(
            (turn.reason(0, 0), turn.reason(0, 400)),
            (Reason::Request, Reason::Request)
        );
    }
}

#[test]
fn a_failure_is_that_of_the_provider_that_was_asked_last() {
    let mut turn = Turn::default();
    assert_eq!((turn.last_asked(&[]), turn.last_asked(&[2, 1])), (None, None));
    for member in [1, 2, 1] {
        turn.ask(member, at(0));
    }
    assert_eq!(
        (
            turn.last_asked(&[0, 1, 2]),
            turn.last_asked(&[0, 2]),
            turn.last_asked(&[0])
        ),
        (Some(1), Some(2), None)
    );
}

#[test]
fn a_sub_agent_does_not_decide_the_turn() {
    let mut turn = Turn::default();
    turn.failed(0, true, false);
    assert!(!turn.has_failed());
    turn.failed(0, false, false);
    turn.note("assistant.message", true);
    turn.note("session.idle", false);
    assert!(turn.has_failed());
    turn.note("assistant.message", false);
    assert!(!turn.has_failed());
}
