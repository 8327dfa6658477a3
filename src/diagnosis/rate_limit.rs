//! Reads what a 429 says of its limit: the headers `x-ratelimit-*` and those of spillover, and the
//! message.

use serde::Serialize;

use super::request_details::Setup;
use super::{FailedRequest, fixed, token_fault::span};
use crate::answer::body::Answer;
use crate::answer::pause_of;
use crate::token::Millis;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Limited {
    /// Requests per minute.
    Requests,
    /// Tokens per minute.
    Tokens,
}

impl Limited {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }
}

/// The limit of a 429. Serialized in camel case, without the fields that are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RateLimit {
    /// What is used up. `None` if the response does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_up: Option<Limited>,
    /// The limit of that: requests or tokens per period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How many of them remain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u32>,
    /// The time until the limit is restored, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_in_ms: Option<u32>,
    /// Whether the same request can succeed later. False for a prompt that is larger than the whole
    /// limit.
    pub waiting_helps: bool,
    /// Whether Azure has lowered the limit because of many rejected requests.
    pub abuse_penalty: bool,
    /// Whether a provisioned deployment passed the request on to a standard one.
    pub spilled_over: bool,
}

/// Reads the limit of a response with status 429.
pub(super) fn read(failure: &FailedRequest, answer: &Answer) -> RateLimit {
    let text = |name: &str| failure.headers.text(name).map(str::trim);
    let number = |kind: &str, unit: Limited| -> Option<u32> {
        text(&format!("x-ratelimit-{kind}-{}", unit.as_str()))?
            .parse()
            .ok()
    };
    let is_true = |name: &str| text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let used_up = used_up(answer, |unit| number("remaining", unit));
    let limit = used_up.and_then(|unit| number("limit", unit));
    let remaining = used_up.and_then(|unit| number("remaining", unit));
    let stated_limit = answer
        .number_after("limit ")
        .filter(|_| answer.says("requested "));
    let requested = answer.number_after("requested ");
    let too_large = match (requested, stated_limit.or(limit.map(u64::from))) {
        (Some(requested), Some(limit)) => requested > limit,
        _ => answer.says("request too large"),
    };
    // All tokens of the period are there, and still they do not suffice.
    let untouched =
        used_up == Some(Limited::Tokens) && limit.is_some_and(|limit| limit > 0) && remaining >= limit;
    RateLimit {
        used_up,
        limit,
        remaining,
        resets_in_ms: used_up.and_then(|unit| {
            let period = number("renewalperiod", unit).unwrap_or(60);
            reset_ms(text(&format!("x-ratelimit-reset-{}", unit.as_str()))?, period)
        }),
        waiting_helps: !too_large && !untouched,
        abuse_penalty: is_true("x-ratelimit-abusepenalty-active"),
        spilled_over: is_true("x-ms-is-spilled-over")
            || text("x-ms-spillover-from-deployment").is_some()
            || text("x-ms-spillover-error").is_some(),
    }
}

/// Finds what is used up: by the message, else by the headers.
fn used_up(answer: &Answer, remaining: impl Fn(Limited) -> Option<u32>) -> Option<Limited> {
    let says = |texts: [&str; 4]| texts.iter().any(|text| answer.says(text));
    if says(["token rate limit", "tokens per min", "(tpm)", "tokens per day"]) {
        return Some(Limited::Tokens);
    }
    if says([
        "call rate limit",
        "requests per min",
        "(rpm)",
        "request rate limit",
    ]) {
        return Some(Limited::Requests);
    }
    match (remaining(Limited::Requests), remaining(Limited::Tokens)) {
        (Some(0), Some(0)) | (None, None) => None,
        (Some(0), _) => Some(Limited::Requests),
        // Without a request too many, it is a prompt with too many tokens.
        (_, Some(_)) => Some(Limited::Tokens),
        (Some(_), None) => None,
    }
}

/// Reads the time of `x-ratelimit-reset-*`: `6m0s`, `1s` or `500ms` as OpenAI writes it, or Azure's
/// plain number, which some hosts give in seconds and others in milliseconds. No limit takes longer
/// than two periods, so a larger number is in milliseconds.
fn reset_ms(text: &str, period: u32) -> Option<u32> {
    if let Ok(number) = text.parse::<u32>() {
        let unit = if number > period.saturating_mul(2) {
            1
        } else {
            1_000
        };
        return Some(number.saturating_mul(unit));
    }
    let (mut sum, mut rest) = (0_u32, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let (factor, length) = match unit.as_bytes() {
            [b'm', b's', ..] => (1, 2),
            [b's', ..] => (1_000, 1),
            [b'm', ..] => (60_000, 1),
            [b'h', ..] => (3_600_000, 1),
            _ => return None,
        };
        sum = sum.saturating_add(number.parse::<u32>().ok()?.saturating_mul(factor));
        rest = unit.get(length..)?;
    }
    Some(sum)
}

/// Returns the delay that Azure asks for. `None` for 0, which would mean to retry at once for ever:
/// Azure sends `retry-after-ms: 0` beside a longer `retry-after`.
pub(super) fn pause(failure: &FailedRequest, answer: &Answer) -> Option<u32> {
    pause_of(&failure.headers, answer, failure.now).filter(|ms| *ms > 0)
}

pub(super) fn explain(answer: &Answer, setup: &Setup<'_>) -> (String, Vec<String>) {
    let found = read(setup.failure, answer);
    let raise = "Raise the deployment's tokens per minute in the Foundry portal; see what the region allows:\naz cognitiveservices \
                 usage list --location <region> --output table"
        .to_owned();
    let what = match found.used_up {
        Some(Limited::Tokens) => "tokens per minute",
        Some(Limited::Requests) => "requests per minute",
        None => "requests or tokens per minute",
    };
    let limit = found.limit.map(|limit| format!(" ({limit})")).unwrap_or_default();
    if !found.waiting_helps {
        return (
            format!(
                "The request needs more tokens than the deployment's whole limit of {what}{limit} allows. Waiting does not help."
            ),
            vec![
                "Shorten the input, or lower the maximum of output tokens, which counts in advance."
                    .to_owned(),
                raise,
            ],
        );
    }
    let mut cause = format!("The deployment's limit of {what}{limit} is reached.");
    let wait = pause(setup.failure, answer).or(found.resets_in_ms);
    if let Some(ms) = wait.filter(|ms| *ms > 0) {
        let when = span(Millis::from(ms.max(1_000)));
        cause = format!("{cause} Azure accepts requests again in {when}.");
    }
    if found.abuse_penalty {
        cause.push_str(
            " Azure has lowered the limit for now, because many requests were sent in spite of it.",
        );
    }
    if found.spilled_over {
        cause.push_str(
            " The provisioned deployment passed the request on (spillover), and the standard deployment rejected it, too.",
        );
    }
    (
        cause,
        vec![
            "Wait as long as the response says; the Copilot runtime does so by itself, six times.".to_owned(),
            raise,
        ],
    )
}

pub(super) fn quota_exceeded(answer: &Answer) -> (String, Vec<String>) {
    if answer.says("capacity") {
        return fixed(
            "The subscription has no quota left for this model in this region, so the deployment cannot be created or enlarged.",
            &[
                "Use less capacity, remove another deployment, or choose another region:\naz cognitiveservices usage list --location \
                 <region> --output table",
                "Or request more quota in the Foundry portal (Management, Quota).",
            ],
        );
    }
    if answer.says("token quota") {
        return fixed(
            "A gateway's quota of tokens is used up.",
            &["Wait as long as the message says, or ask the gateway's operator for a larger quota."],
        );
    }
    fixed(
        "A quota of the account is used up: the calls of its pricing tier, or its credit. Waiting a few minutes does not help.",
        &["Switch to a paid pricing tier, or see the subscription's billing and quota in the Azure portal."],
    )
}
