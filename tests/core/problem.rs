//! What callers of an app learn about its failures.
use copilot_keyless::diagnosis::DiagnosisCode;
use copilot_keyless::{Code, Problem};

#[test]
fn every_code_is_found_by_its_text() {
    for code in Code::ALL {
        assert_eq!(Problem::by_text(code.as_str()), Problem::of(*code), "{code:?}");
    }
    for code in DiagnosisCode::ALL {
        let text = format!("model/{}", code.as_str());
        assert_eq!(Problem::by_text(&text), Problem::of_diagnosis(*code), "{text}");
    }
    for problem in Problem::ALL {
        assert_eq!(Problem::by_text(problem.as_str()), *problem);
    }
}

#[test]
fn an_unknown_text_is_unexpected() {
    for text in [
        "",
        "model/",
        "model/request-failed",
        "chat/unexpected",
        "Late",
        "rate-limited",
    ] {
        assert_eq!(Problem::by_text(text), Problem::Unexpected, "{text}");
    }
}

#[test]
fn the_status_says_whether_a_retry_helps() {
    for (problem, status) in [
        (Problem::of(Code::CredentialThrottled), 503),
        (Problem::of(Code::CredentialRefused), 500),
        (Problem::of(Code::TokenTimeout), 504),
        (Problem::of(Code::TokenRejectedAgain), 502),
        (Problem::of_diagnosis(DiagnosisCode::RateLimited), 503),
        (Problem::of_diagnosis(DiagnosisCode::ContentFilter), 422),
        (Problem::of_diagnosis(DiagnosisCode::MissingRole), 502),
    ] {
        assert_eq!(problem.status(), status, "{problem:?}");
    }
}

#[test]
fn only_the_content_filter_is_the_callers_fault() {
    for problem in Problem::ALL {
        assert_eq!(
            problem.status() < 500,
            *problem == Problem::Filtered,
            "{problem:?}"
        );
    }
}
