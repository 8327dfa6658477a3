//! The settings of the schedule.

use serde::{Deserialize, Serialize};

use crate::token::{MAX_LIFETIME_MS, Millis};
use crate::{Code, Error, Result};

/// The settings of the schedule, all in milliseconds. [`RefreshPolicy::default`] returns the
/// defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RefreshPolicy {
    /// How long before its expiry a token is refreshed. Default 300,000 (as in the Azure SDKs for
    /// Python, .NET, Go, Java and Rust). A token that lives less than twice as long is refreshed at
    /// half its lifetime.
    pub refresh_before_expiry_ms: Millis,
    /// A token that lives this long or longer is refreshed at half its lifetime. Default 7,200,000
    /// (as in MSAL).
    pub long_lived_ms: Millis,
    /// The most random delay of a refresh. Default 60,000.
    pub jitter_ms: Millis,
    /// A token with this much left or less is no longer returned. Default 10,000; at most a quarter
    /// of the lifetime.
    pub min_remaining_ms: Millis,
    /// The first delay after a failed refresh while the token is usable; it doubles. Default
    /// 30,000.
    pub retry_min_ms: Millis,
    /// The longest delay, before jitter of up to a fifth. Default 300,000.
    pub retry_max_ms: Millis,
    /// How long callers wait for an acquisition. Default 15,000.
    pub wait_timeout_ms: Millis,
    /// How long a background refresh may take. Default 30,000.
    pub background_timeout_ms: Millis,
    /// The shortest time between two forced acquisitions. Default 30,000.
    pub invalidate_interval_ms: Millis,
    /// The longest accepted lifetime of a token. Default 172,800,000 (48 hours).
    pub max_lifetime_ms: Millis,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            refresh_before_expiry_ms: 300_000,
            long_lived_ms: 7_200_000,
            jitter_ms: 60_000,
            min_remaining_ms: 10_000,
            retry_min_ms: 30_000,
            retry_max_ms: 300_000,
            wait_timeout_ms: 15_000,
            background_timeout_ms: 30_000,
            invalidate_interval_ms: 30_000,
            max_lifetime_ms: MAX_LIFETIME_MS,
        }
    }
}

/// The largest value of a field: a year.
const LONGEST_MS: Millis = 31_536_000_000;

impl RefreshPolicy {
    /// Changes a field by its JavaScript name. Pass `None` for a value that is not a number.
    ///
    /// Errors: `policy/invalid`.
    pub fn change(&mut self, name: &str, value: Option<f64>) -> Result<()> {
        let field = match name {
            "refreshBeforeExpiryMs" => &mut self.refresh_before_expiry_ms,
            "longLivedMs" => &mut self.long_lived_ms,
            "jitterMs" => &mut self.jitter_ms,
            "minRemainingMs" => &mut self.min_remaining_ms,
            "retryMinMs" => &mut self.retry_min_ms,
            "retryMaxMs" => &mut self.retry_max_ms,
            "waitTimeoutMs" => &mut self.wait_timeout_ms,
            "backgroundTimeoutMs" => &mut self.background_timeout_ms,
            "invalidateIntervalMs" => &mut self.invalidate_interval_ms,
            "maxLifetimeMs" => &mut self.max_lifetime_ms,
            _ => {
                return Err(Error::new(
                    Code::PolicyInvalid,
                    format!("the policy has no {name}"),
                ));
            }
        };
        *field = value
            .filter(|value| value.fract() == 0.0)
            .map(|value| value as Millis)
            .ok_or_else(|| {
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
        let fields = [
            ("refreshBeforeExpiryMs", self.refresh_before_expiry_ms, 0),
            ("longLivedMs", self.long_lived_ms, 1),
            ("jitterMs", self.jitter_ms, 0),
            ("minRemainingMs", self.min_remaining_ms, 0),
            ("retryMinMs", self.retry_min_ms, 1),
            ("retryMaxMs", self.retry_max_ms, 1),
            ("waitTimeoutMs", self.wait_timeout_ms, 1),
            ("backgroundTimeoutMs", self.background_timeout_ms, 1),
            ("invalidateIntervalMs", self.invalidate_interval_ms, 0),
            ("maxLifetimeMs", self.max_lifetime_ms, 1),
        ];
        for (name, value, least) in fields {
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
