//! A second look at a token that seems to have expired when it comes.
//!
//! Two things make a good token look so: a credential that could not read the expiry (MSAL then says "now"), and a clock of this
//! machine that is ahead by more than the token lives. Against the first there is the token's own `exp`, against the second the `Date`
//! of any answer. A token that has expired by the true time stays expired.

use super::claims;
use super::date::http_date;
use super::lifetime::{Millis, epoch};

/// `Date` counts whole seconds.
const DATE_RESOLUTION_MS: Millis = 1_000;

/// MSAL's "now" is rounded to seconds, and may so be later than now.
const ROUNDING_MS: Millis = 1_000;

/// Whether a token that has just come has expired already, or does so within a second, by this machine's clock and by what the
/// credential says.
///
/// ```
/// use copilot_keyless::token::seems_expired;
///
/// let now = 1_700_000_000_000;
/// assert!(seems_expired(1_700_000_000_000.0, now));
/// assert!(seems_expired(1_700_000_001.0, now)); // seconds
/// assert!(!seems_expired(1_700_003_600_000.0, now));
/// ```
pub fn seems_expired(expires_on: f64, now: Millis) -> bool {
    epoch(expires_on).is_some_and(|expires| expires <= now.saturating_add(ROUNDING_MS))
}

/// How far this machine's clock is ahead, in milliseconds, going by the `Date` of an answer to a request that was sent at
/// `asked_at`. 0 where the clock is not ahead, or the date cannot be read.
///
/// ```
/// use copilot_keyless::token::clock_ahead;
///
/// assert_eq!(clock_ahead("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_007_201_000), 7_200_000);
/// assert_eq!(clock_ahead("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000_900), 0);
/// ```
pub fn clock_ahead(date: &str, asked_at: Millis) -> Millis {
    http_date(date).map_or(0, |at| {
        asked_at
            .saturating_sub(at)
            .saturating_sub(DATE_RESOLUTION_MS)
            .max(0)
    })
}

/// When a token that seems expired does expire, on this machine's clock, which is ahead by `clock_ahead`. `None` if it has expired
/// indeed. The token's own `exp` counts before what the credential says, which is no expiry that could be right.
///
/// ```
/// use copilot_keyless::token::corrected_expiry;
///
/// let (now, hour) = (1_700_007_200_000, 3_600_000);
/// // An hour of life, and a clock that is two hours ahead.
/// let expires_on = 1_700_003_600_000.0;
/// assert_eq!(corrected_expiry("opaque", expires_on, now, 0), None);
/// assert_eq!(corrected_expiry("opaque", expires_on, now, 2 * hour), Some(now + hour));
/// ```
pub fn corrected_expiry(token: &str, expires_on: f64, now: Millis, clock_ahead: Millis) -> Option<Millis> {
    let stated = claims::expiry(token).or_else(|| epoch(expires_on))?;
    let expires = stated.saturating_add(clock_ahead.max(0));
    (expires > now).then_some(expires)
}
