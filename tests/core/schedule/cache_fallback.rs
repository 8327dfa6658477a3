//! When the cache of a credential is bypassed.
use copilot_keyless::schedule::CacheFallback;

const EXPIRY: f64 = 1.7e12;

#[test]
fn a_new_token_is_used_without_a_pause() {
    let mut fallback = CacheFallback::default();
    fallback.mark_rejected("old");
    for at in [0, 1, 2] {
        assert!(fallback.may_ask(at));
        assert!(fallback.answered("old", Some(("new", EXPIRY)), false, at));
    }
}

#[test]
fn an_answer_without_a_new_token_pauses_for_ten_seconds() {
    // The same token, although it was not marked; another rejected token; a failure.
    for answer in [Some("cached"), Some("rejected"), None] {
        let mut fallback = CacheFallback::default();
        fallback.mark_rejected("rejected");
        assert!(fallback.may_ask(-5), "a monotonic clock may start anywhere");
        assert!(
            !fallback.answered("cached", answer.map(|token| (token, EXPIRY)), false, 1_000),
            "{answer:?}"
        );
        assert!(!fallback.may_ask(1_000));
        assert!(!fallback.may_ask(10_999));
        assert!(fallback.may_ask(11_000));
    }
}

#[test]
fn an_aborted_attempt_neither_pauses_nor_ends_a_pause() {
    let mut fallback = CacheFallback::default();
    assert!(!fallback.answered("old", None, true, 0));
    assert!(fallback.may_ask(0));
    assert!(!fallback.answered("old", None, false, 0));
    assert!(!fallback.answered("old", None, true, 5_000));
    assert!(!fallback.may_ask(9_999));
    assert!(fallback.may_ask(10_000));
}

#[test]
fn a_token_that_came_in_spite_of_the_abort_is_used() {
    assert!(CacheFallback::default().answered("old", Some(("new", EXPIRY)), true, 0));
}

#[test]
fn after_a_failure_the_direct_credential_is_asked_unless_the_endpoint_refused() {
    let mut fallback = CacheFallback::default();
    // No status: a lost connection, a response that the library cannot read, or no word on it.
    for status in [None, Some(302), Some(500), Some(503)] {
        assert!(fallback.may_ask_after_failure(status, 0), "{status:?}");
    }
    for status in [400, 401, 403, 404, 410, 429] {
        assert!(!fallback.may_ask_after_failure(Some(status), 0), "{status}");
    }
    assert!(fallback.answered("", Some(("token", EXPIRY)), false, 0));
    fallback.mark_rejected("rejected");
    assert!(!fallback.answered("", Some(("rejected", EXPIRY)), false, 0));
    assert!(
        !fallback.may_ask_after_failure(None, 9_999),
        "a pause of ten seconds"
    );
    assert!(fallback.may_ask_after_failure(None, 10_000));
}

#[test]
fn a_token_whose_expiry_was_refused_is_used_with_another_one() {
    let mut fallback = CacheFallback::default();
    for bad in [f64::INFINITY, f64::NAN, 0.0] {
        fallback.mark_refused("token", bad);
        assert!(fallback.is_unusable("token", bad));
        assert!(!fallback.answered("token", Some(("token", bad)), true, 0));
    }
    assert!(!fallback.is_rejected("token"));
    assert!(!fallback.is_unusable("token", EXPIRY));
    assert!(fallback.answered("token", Some(("token", EXPIRY)), false, 0));
    // Rejected by the resource, its expiry does not matter.
    fallback.mark_rejected("token");
    assert!(fallback.is_unusable("token", EXPIRY));
    assert!(!fallback.answered("token", Some(("token", EXPIRY)), false, 0));
    fallback.clear();
    assert!(!fallback.is_unusable("token", f64::INFINITY));
}

#[test]
fn the_last_sixteen_rejected_tokens_count() {
    let mut fallback = CacheFallback::default();
    for number in 0..16 {
        fallback.mark_rejected(&number.to_string());
    }
    fallback.mark_rejected("3");
    assert!(
        fallback.is_rejected("0"),
        "a token that is marked twice takes one place"
    );
    fallback.mark_rejected("16");
    assert!(!fallback.is_rejected("0"));
    assert!((1..=16).all(|number| fallback.is_rejected(&number.to_string())));
    assert!(!fallback.answered("1", Some(("16", EXPIRY)), false, 0));
}

#[test]
fn cleared_tokens_do_not_count_and_the_pause_goes_on() {
    let mut fallback = CacheFallback::default();
    fallback.mark_rejected("old");
    assert!(!fallback.answered("old", None, false, 0));
    fallback.clear();
    assert!(!fallback.is_rejected("old"));
    assert!(!fallback.may_ask(9_999));
}

#[test]
fn no_token_is_kept() {
    let mut fallback = CacheFallback::default();
    fallback.mark_rejected("planted-token");
    assert!(!format!("{fallback:?}").contains("planted"));
}
