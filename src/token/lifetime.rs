//! When a token expires: a lifetime that has been checked.

use crate::{Code, Error, Result};

/// Milliseconds: since the Unix epoch where a point in time is meant, else a duration.
pub type Millis = i64;

/// The longest lifetime that is believed: 48 hours. Managed identity tokens live about 24.
pub const MAX_LIFETIME_MS: Millis = 172_800_000;

/// Epoch values from here on are milliseconds: as seconds this is the year 5138, as milliseconds March 1973.
const FIRST_MILLISECONDS: f64 = 1e11;

/// From when to when a token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    acquired: Millis,
    expires: Millis,
    refresh_after: Option<Millis>,
}

impl Lifetime {
    /// A lifetime that has been checked: the expiry is later than `acquired` and at most `max` ahead of it. A refresh
    /// time that does not lie strictly between the two is dropped, since it is advice and not a fact.
    ///
    /// ```
    /// use copilot_keyless::token::{Lifetime, MAX_LIFETIME_MS};
    ///
    /// let lifetime = Lifetime::new(1_000, 3_601_000, Some(1_801_000), MAX_LIFETIME_MS).unwrap();
    /// assert_eq!(lifetime.length(), 3_600_000);
    /// assert!(Lifetime::new(1_000, 1_000, None, MAX_LIFETIME_MS).is_err());
    /// ```
    pub fn new(
        acquired: Millis,
        expires: Millis,
        refresh_after: Option<Millis>,
        max: Millis,
    ) -> Result<Self> {
        if expires <= acquired {
            return Err(Error::new(
                Code::ExpiryExpired,
                "the token had already expired when it was requested",
            )
            .hint("Check this machine's clock, and whether something in between answers with old tokens."));
        }
        if expires.saturating_sub(acquired) > max {
            return Err(Error::new(
                Code::ExpiryTooFar,
                format!(
                    "the token claims to live {} hours, longer than any Entra token",
                    expires.saturating_sub(acquired) / 3_600_000
                ),
            )
            .hint(
                "Check this machine's clock, and the unit of the expiry: seconds or milliseconds since 1970.",
            ));
        }
        let refresh_after = refresh_after.filter(|&refresh| acquired < refresh && refresh < expires);
        Ok(Self {
            acquired,
            expires,
            refresh_after,
        })
    }

    /// The lifetime of an `AccessToken` of `@azure/identity`, whose times are numbers of JavaScript. Seconds given where
    /// milliseconds are expected are recognised by their size.
    pub fn of_access_token(
        acquired: Millis,
        expires_on_timestamp: f64,
        refresh_after_timestamp: Option<f64>,
        max: Millis,
    ) -> Result<Self> {
        let expires = epoch(expires_on_timestamp).ok_or_else(|| unreadable("expiresOnTimestamp"))?;
        Self::new(acquired, expires, refresh_after_timestamp.and_then(epoch), max)
    }

    /// When the request that brought the token was *started* (the rule of MSAL).
    pub const fn acquired(&self) -> Millis {
        self.acquired
    }

    /// When the token expires. Always after [`acquired`](Self::acquired).
    pub const fn expires(&self) -> Millis {
        self.expires
    }

    /// When its issuer would like it to be refreshed; strictly between the other two.
    pub const fn refresh_after(&self) -> Option<Millis> {
        self.refresh_after
    }

    /// How long the token lives, in milliseconds.
    pub fn length(&self) -> Millis {
        self.expires.saturating_sub(self.acquired)
    }
}

/// A point in time given as seconds or milliseconds since 1970. `None` for what is no such time: zero, negative,
/// not finite.
pub(super) fn epoch(value: f64) -> Option<Millis> {
    if !value.is_finite() || value <= 0.0 {
        return None;
    }
    let millis = if value < FIRST_MILLISECONDS {
        value * 1_000.0
    } else {
        value
    };
    Some(millis.min(9e15) as Millis)
}

pub(super) fn unreadable(field: &str) -> Error {
    Error::new(
        Code::ExpiryUnreadable,
        format!("{field} holds no time that can be read"),
    )
    .hint("Expected seconds or milliseconds since 1970, or a date such as 2026-01-31T12:00:00Z.")
}
