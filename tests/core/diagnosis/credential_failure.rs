//! The error for callers, from what a credential reported.

use copilot_keyless::Code;
use copilot_keyless::diagnosis::{CredentialFailure, FailedCredential, ReportedError, credential_failure};

fn reported(message: &str, names: &[&str], codes: &[&str]) -> ReportedError {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    ReportedError {
        message: message.to_owned(),
        names: owned(names),
        codes: owned(codes),
        ..ReportedError::default()
    }
}

fn told(message: &str, names: &[&str], codes: &[&str]) -> CredentialFailure {
    credential_failure(&reported(message, names, codes))
}

#[test]
fn names_and_codes_tell_what_failed() {
    const UNAVAILABLE: &str = "CredentialUnavailableError";
    for (names, codes, code, unavailable, message) in [
        (
            &["Error"][..],
            &["ECONNRESET"][..],
            Code::CredentialNetwork,
            false,
            "cannot be reached: x",
        ),
        (
            &[UNAVAILABLE],
            &["UND_ERR_SOCKET"],
            Code::CredentialNetwork,
            false,
            "cannot be reached: x",
        ),
        (
            &[UNAVAILABLE],
            &["network_error"],
            Code::CredentialNetwork,
            false,
            "reached, or its response cannot be parsed: x",
        ),
        (
            &[UNAVAILABLE, "SyntaxError"],
            &[],
            Code::CredentialFailed,
            false,
            "response cannot be parsed: x",
        ),
        (
            &["SyntaxError"],
            &[],
            Code::CredentialFailed,
            false,
            "The credential returned no token: x",
        ),
        (
            &[UNAVAILABLE],
            &[],
            Code::CredentialUnavailable,
            true,
            "No credential is available here: x",
        ),
        (
            &["Error"],
            &["E_OTHER"],
            Code::CredentialFailed,
            false,
            "The credential returned no token: x",
        ),
    ] {
        let failure = told("x", names, codes);
        let found = (failure.error.code(), failure.unavailable);
        assert_eq!(found, (code, unavailable), "{names:?} {codes:?}");
        assert!(
            failure.error.message().ends_with(message),
            "{}",
            failure.error.message()
        );
        assert!(failure.error.next_step().is_some_and(|hint| !hint.is_empty()));
    }
}

#[test]
fn the_first_three_lines_are_shown_once_and_cut_between_characters() {
    let message = |text| told(text, &[], &[]).error.message().to_owned();
    let lines = "ChainedTokenCredential authentication failed.\nCredentialUnavailableError: one\nError: one\n\n two \nthree\nfour";
    assert_eq!(message(lines), "The credential returned no token: one two three");
    assert_eq!(message(""), "The credential returned no token");
    let long = message(&"é".repeat(1_000));
    assert!(long.ends_with("é…"));
    assert_eq!(long.matches('é').count(), 400);
}

#[test]
fn the_next_step_of_the_source_precedes_that_of_the_diagnosis() {
    let text = "AADSTS7000222: The provided client secret keys are expired.";
    let mut known = reported(text, &[], &[]);
    known.failure = FailedCredential {
        error: Some(text.into()),
        status: Some(503),
        ..FailedCredential::default()
    };
    let error = credential_failure(&known).error;
    assert_eq!(error.code(), Code::CredentialServerError);
    assert!(error.next_step().unwrap().contains("az ad app credential reset"));
    known.hint = Some("Ask the sidecar.".to_owned());
    known.code = Some(Code::CredentialRefused);
    let error = credential_failure(&known).error;
    assert_eq!(
        (error.code(), error.next_step()),
        (Code::CredentialRefused, Some("Ask the sidecar."))
    );
}

#[test]
fn a_response_that_cannot_be_parsed_is_not_taken_for_a_fault_of_the_library() {
    let text = "TypeError: x is not a function";
    let mut known = reported(text, &["CredentialUnavailableError", "TypeError"], &[]);
    known.failure.error = Some(text.into());
    assert!(
        credential_failure(&known)
            .error
            .next_step()
            .unwrap()
            .contains("a proxy")
    );
}
