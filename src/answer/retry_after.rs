//! Reads `Retry-After` (RFC 9110). How long it counts is decided by its users: the schedule
//! ([`RETRY_AFTER_MAX_MS`](crate::schedule::RETRY_AFTER_MAX_MS)) and the direct credential
//! (`request/identity/retry.rs`).

use super::body::Answer;
use crate::Headers;
use crate::token::{Millis, http_date};

/// Returns the delay of a `Retry-After` in milliseconds: a number of seconds, or a date. A date
/// counts from `date`, the response's own `Date`, or, if that is missing, from `now`, the time of
/// the response in epoch milliseconds. A date in the past returns 0, an unreadable value `None`.
///
/// ```
/// use copilot_keyless::answer::retry_after_ms;
///
/// let (later, date) = ("Tue, 14 Nov 2023 22:14:20 GMT", "Tue, 14 Nov 2023 22:13:20 GMT");
/// assert_eq!(retry_after_ms("60", "", None), Some(60_000));
/// assert_eq!(retry_after_ms(later, date, None), Some(60_000));
/// assert_eq!(retry_after_ms(later, "", Some(1_700_000_030_000)), Some(30_000));
/// assert_eq!(retry_after_ms("soon", date, None), None);
/// ```
pub fn retry_after_ms(value: &str, date: &str, now: Option<Millis>) -> Option<u32> {
    let value = value.trim_ascii();
    if value.starts_with(|c: char| c.is_ascii_digit()) {
        return seconds(value);
    }
    let until = http_date(value)?;
    let from = http_date(date).or(now)?;
    let wait = until.saturating_sub(from).clamp(0, u32::MAX.into());
    u32::try_from(wait).ok()
}

/// Reads seconds, which some servers send with a fraction. A value that is too large becomes the
/// largest one.
fn seconds(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole
        .bytes()
        .chain(fraction.bytes())
        .all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let milliseconds = fraction.bytes().chain(*b"000").take(3);
    let digits = whole.bytes().chain(milliseconds);
    Some(digits.fold(0_u32, |number, digit| {
        number.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
    }))
}

/// Reads `43 seconds`, `500 milliseconds`, `21 minutes and 33 seconds` or `24 days, 14 hours`, without
/// the smaller unit. A number alone counts seconds.
fn in_words(text: &str) -> Option<u32> {
    let mut words = text.split_ascii_whitespace();
    let number: u32 = words.next()?.parse().ok()?;
    let unit = match words.next().unwrap_or_default().as_bytes() {
        [b'm', b's' | b'S', ..] | [b'm', b'i', b'l', ..] => 1,
        [b'm', b'i', ..] => 60_000,
        [b'h', ..] => 3_600_000,
        [b'd', b'a', ..] => 86_400_000,
        [b'w', ..] | [b'm', b'o', ..] => return None,
        _ => 1_000,
    };
    Some(number.saturating_mul(unit))
}

/// Returns the delay by the headers `retry-after-ms` and `retry-after` (seconds or a date), else by
/// the message. A `retry-after-ms` of 0 is skipped, because Azure sends it beside a longer
/// `retry-after`. `now` is the time of the response, in epoch milliseconds. The response's own `Date`
/// takes precedence, because then both dates come from one clock.
pub(crate) fn pause_of(headers: &Headers, answer: &Answer, now: Option<Millis>) -> Option<u32> {
    let whole = |text: &str| text.parse::<u32>().ok();
    let date = headers.text("date").unwrap_or_default();
    headers
        .text("retry-after-ms")
        .and_then(whole)
        .filter(|ms| *ms > 0)
        .or_else(|| retry_after_ms(headers.text("retry-after")?, date, now))
        .or_else(|| {
            ["etry after ", "ry again in ", "lease wait "]
                .iter()
                .find_map(|text| in_words(answer.after(text)?))
        })
}
