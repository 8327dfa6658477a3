//! The numbers that the schedule goes by.

use serde::{Deserialize, Serialize};

use crate::token::{MAX_LIFETIME_MS, Millis};
use crate::{Code, Error, Result};

/// Declares [`RefreshPolicy`] from one list: each field with its name in JavaScript, its default and its least value.
macro_rules! policy {
    ($($(#[doc = $doc:literal])+ $field:ident, $name:literal, default $default:expr, least $least:literal;)+) => {
        /// The numbers that the schedule goes by, all in milliseconds. [`RefreshPolicy::default`] holds the defaults;
        /// [`Schedule::new`](super::Schedule::new) checks them.
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
    /// A token of ordinary life is refreshed this long before it expires. Default 300,000 (the rule of the Azure SDKs for
    /// Python, .NET, Go, Java and Rust). Tokens that live less than twice as long are refreshed at half their life.
    refresh_before_expiry_ms, "refreshBeforeExpiryMs", default 300_000, least 0;
    /// A token that lives this long or longer is refreshed at half its life. Default 7,200,000 (the rule of MSAL).
    long_lived_ms, "longLivedMs", default 7_200_000, least 1;
    /// A refresh is put off by chance, by up to this. Default 60,000.
    jitter_ms, "jitterMs", default 60_000, least 0;
    /// A token with this much left or less is not handed out. Default 10,000; a quarter of the token's life at most.
    min_remaining_ms, "minRemainingMs", default 10_000, least 0;
    /// The first wait after a failed refresh while the token is good; it doubles. Default 30,000.
    retry_min_ms, "retryMinMs", default 30_000, least 1;
    /// The longest such wait, but for the jitter, which lengthens each by up to a fifth. Default 300,000.
    retry_max_ms, "retryMaxMs", default 300_000, least 1;
    /// How long callers wait for an acquisition. Default 15,000.
    wait_timeout_ms, "waitTimeoutMs", default 15_000, least 1;
    /// How long a refresh in the background may take. Default 30,000.
    background_timeout_ms, "backgroundTimeoutMs", default 30_000, least 1;
    /// At most one forced acquisition in this time. Default 30,000.
    invalidate_interval_ms, "invalidateIntervalMs", default 30_000, least 0;
    /// A token that claims to live longer is refused. Default 172,800,000 (48 hours).
    max_lifetime_ms, "maxLifetimeMs", default MAX_LIFETIME_MS, least 1;
}

/// No field may exceed this: a year.
const LONGEST_MS: Millis = 31_536_000_000;

impl RefreshPolicy {
    /// Changes a field by its name in JavaScript. `None` stands for what is no number.
    pub fn change(&mut self, name: &str, value: Option<f64>) -> Result<()> {
        let field = self
            .field(name)
            .ok_or_else(|| Error::new(Code::PolicyInvalid, format!("the policy has no {name}")))?;
        // What is no whole number is none of milliseconds.
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

    /// Checks every field, and those that depend on one another.
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
