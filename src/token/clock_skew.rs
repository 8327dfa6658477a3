//! Checks a new token that seems to have expired already.
//!
//! A valid token seems expired for one of two reasons: the credential could not read the expiry
//! (MSAL then reports the current time), or the clock of this machine is ahead by more than the
//! lifetime. The token's own `exp` corrects the first, the `Date` header of any response the
//! second. A token that has expired by the true time stays expired.

use super::claims;
use super::date::http_date;
use super::lifetime::{Millis, epoch};

/// The resolution of a `Date` header: whole seconds.
const DATE_RESOLUTION_MS: Millis = 1_000;

/// MSAL rounds the current time to seconds, so its expiry may be up to this much in the future.
const ROUNDING_MS: Millis = 1_000;

/// Whether a new token has expired by this machine's clock, or expires within a second.
/// `expires_on` is the expiry from the credential.
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

/// Returns how far this machine's clock is ahead, in milliseconds, by the `Date` header of the
/// response to a request that was sent at `asked_at`. 0 if the clock is not ahead or the date is
/// unreadable.
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

/// Corrects the expiry of a token that seems expired, for this machine's clock, which is ahead by
/// `clock_ahead`. `None` if the token has really expired. The token's own `exp` takes precedence
/// over the credential's `expires_on`.
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
