//! Checks and stores the lifetime of a token.

use crate::{Code, Error, Result};

/// Milliseconds: since the Unix epoch for a point in time, else a duration.
pub type Millis = i64;

/// The longest accepted lifetime: 48 hours. Managed identity tokens live about 24.
pub const MAX_LIFETIME_MS: Millis = 172_800_000;

/// Epoch values from here on are milliseconds. In seconds this is the year 5138, in milliseconds
/// March 1973.
const FIRST_MILLISECONDS: f64 = 1e11;

/// The checked lifetime of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    acquired: Millis,
    expires: Millis,
    refresh_after: Option<Millis>,
}

impl Lifetime {
    /// Checks a lifetime: the expiry must be later than `acquired`, by at most `max`. Ignores a
    /// refresh time that is not strictly between the two, because it is only advice.
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

    /// Checks the lifetime of an `AccessToken` of `@azure/identity`. Recognizes seconds by their
    /// size and converts them to milliseconds.
    pub fn of_access_token(
        acquired: Millis,
        expires_on_timestamp: f64,
        refresh_after_timestamp: Option<f64>,
        max: Millis,
    ) -> Result<Self> {
        let expires = epoch(expires_on_timestamp).ok_or_else(|| unreadable("expiresOnTimestamp"))?;
        Self::new(acquired, expires, refresh_after_timestamp.and_then(epoch), max)
    }

    /// The *start* of the request that acquired the token (as in MSAL).
    pub const fn acquired(&self) -> Millis {
        self.acquired
    }

    /// The expiry. Always after [`acquired`](Self::acquired).
    pub const fn expires(&self) -> Millis {
        self.expires
    }

    /// The refresh time that the issuer advises, strictly between the other two.
    pub const fn refresh_after(&self) -> Option<Millis> {
        self.refresh_after
    }

    /// The lifetime in milliseconds.
    pub fn length(&self) -> Millis {
        self.expires.saturating_sub(self.acquired)
    }
}

/// Converts seconds or milliseconds since 1970 to milliseconds. `None` for zero, negative and
/// infinite values and NaN.
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
