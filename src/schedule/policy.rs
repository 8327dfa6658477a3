//! The settings of the schedule.

use serde::{Deserialize, Serialize};

use crate::token::{MAX_LIFETIME_MS, Millis};
use crate::{Code, Error, Result};

/// Declares [`RefreshPolicy`] from one list: each field with its JavaScript name, its default and
/// its least value.
macro_rules! policy {
    ($($(#[doc = $doc:literal])+ $field:ident, $name:literal, default $default:expr, least $least:literal;)+) => {
        /// The settings of the schedule, all in milliseconds. [`RefreshPolicy::default`] returns
        /// the defaults; [`Schedule::new`](super::Schedule::new) checks them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
        pub struct RefreshPolicy {
            $($(#[doc = $doc])+ pub $field: Millis,)+
        }

        impl Default for RefreshPolicy {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl RefreshPolicy {
            fn field(&mut self, name: &str) -> Option<&mut Millis> {
                match name {
                    $($name => Some(&mut self.$field),)+
                    _ => None,
                }
            }

            /// Each field's name, value and least value.
            fn values(&self) -> impl Iterator<Item = (&'static str, Millis, Millis)> {
                [$(($name, self.$field, $least),)+].into_iter()
            }
        }
    };
}

policy! {
    /// How long before its expiry a token is refreshed. Default 300,000 (as in the Azure SDKs for
    /// Python, .NET, Go, Java and Rust). A token that lives less than twice as long is refreshed at
    /// half its lifetime.
    refresh_before_expiry_ms, "refreshBeforeExpiryMs", default 300_000, least 0;
    /// A token that lives this long or longer is refreshed at half its lifetime. Default 7,200,000
    /// (as in MSAL).
    long_lived_ms, "longLivedMs", default 7_200_000, least 1;
    /// The most random delay of a refresh. Default 60,000.
    jitter_ms, "jitterMs", default 60_000, least 0;
    /// A token with this much left or less is no longer returned. Default 10,000; at most a quarter
    /// of the lifetime.
    min_remaining_ms, "minRemainingMs", default 10_000, least 0;
    /// The first delay after a failed refresh while the token is usable; it doubles. Default
    /// 30,000.
    retry_min_ms, "retryMinMs", default 30_000, least 1;
    /// The longest delay, before jitter of up to a fifth. Default 300,000.
    retry_max_ms, "retryMaxMs", default 300_000, least 1;
    /// How long callers wait for an acquisition. Default 15,000.
    wait_timeout_ms, "waitTimeoutMs", default 15_000, least 1;
    /// How long a background refresh may take. Default 30,000.
    background_timeout_ms, "backgroundTimeoutMs", default 30_000, least 1;
    /// The shortest time between two forced acquisitions. Default 30,000.
    invalidate_interval_ms, "invalidateIntervalMs", default 30_000, least 0;
    /// The longest accepted lifetime of a token. Default 172,800,000 (48 hours).
    max_lifetime_ms, "maxLifetimeMs", default MAX_LIFETIME_MS, least 1;
}

/// The longest `Retry-After` that counts, in milliseconds: an endpoint that asks for an hour must
/// not block callers for an hour.
pub const RETRY_AFTER_MAX_MS: Millis = 120_000;

/// The largest value of a field: a year.
const LONGEST_MS: Millis = 31_536_000_000;

impl RefreshPolicy {
    /// Changes a field by its JavaScript name. Pass `None` for a value that is not a whole number.
    ///
    /// Errors: `policy/invalid`.
    pub fn change(&mut self, name: &str, value: Option<Millis>) -> Result<()> {
        let field = self
            .field(name)
            .ok_or_else(|| Error::new(Code::PolicyInvalid, format!("the policy has no {name}")))?;
        *field = value.ok_or_else(|| {
            Error::new(
                Code::PolicyInvalid,
                format!("{name} must be a whole number of milliseconds"),
            )
        })?;
        Ok(())
    }

    /// Checks every field, and that `retry_max_ms` is not less than `retry_min_ms`.
    ///
    /// Errors: `policy/invalid`.
    ///
    /// ```
    /// use copilot_keyless::schedule::RefreshPolicy;
    ///
    /// let policy = RefreshPolicy { retry_min_ms: 0, ..RefreshPolicy::default() };
    /// assert_eq!(policy.validate().unwrap_err().code().as_str(), "policy/invalid");
    /// ```
    pub fn validate(self) -> Result<Self> {
        for (name, value, least) in self.values() {
            if !(least..=LONGEST_MS).contains(&value) {
                return Err(Error::new(
                    Code::PolicyInvalid,
                    format!(
                        "{name} must be a number of milliseconds from {least} to {LONGEST_MS}; it is {value}"
                    ),
                ));
            }
        }
        if self.retry_max_ms < self.retry_min_ms {
            return Err(Error::new(
                Code::PolicyInvalid,
                format!(
                    "retryMaxMs ({}) must not be less than retryMinMs ({})",
                    self.retry_max_ms, self.retry_min_ms
                ),
            ));
        }
        Ok(self)
    }
}
