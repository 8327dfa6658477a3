//! The refresh policy, in the units of Rust.

use std::time::Duration;

use crate::clock::{duration_of, millis};

macro_rules! policy {
    ($($(#[doc = $doc:literal])+ $field:ident, $core:ident;)+) => {
        /// When tokens are refreshed, and how long callers wait. Start from the default:
        ///
        /// ```
        /// use std::time::Duration;
        /// use copilot_keyless_tokio::RefreshPolicy;
        ///
        /// let policy = RefreshPolicy { wait_timeout: Duration::from_secs(5), ..RefreshPolicy::default() };
        /// assert_eq!(policy.refresh_before_expiry, Duration::from_secs(300));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct RefreshPolicy {
            $($(#[doc = $doc])+ pub $field: Duration,)+
        }

        impl Default for RefreshPolicy {
            fn default() -> Self {
                let core = copilot_keyless::schedule::RefreshPolicy::default();
                Self { $($field: duration_of(core.$core),)+ }
            }
        }

        impl RefreshPolicy {
            /// Returns the policy as the schedule takes it.
            pub(super) fn into_core(self) -> copilot_keyless::schedule::RefreshPolicy {
                copilot_keyless::schedule::RefreshPolicy { $($core: millis(self.$field),)+ }
            }
        }
    };
}

policy! {
    /// How long before its expiry a token is refreshed. Default 5 minutes. A token that lives less than
    /// twice as long is refreshed at half its lifetime.
    refresh_before_expiry, refresh_before_expiry_ms;
    /// A token that lives this long or longer is refreshed at half its lifetime. Default 2 hours.
    long_lived, long_lived_ms;
    /// The most random delay of a refresh. Default 1 minute.
    jitter, jitter_ms;
    /// A token with this much left or less is no longer returned. Default 10 s; at most a quarter of the
    /// lifetime.
    min_remaining, min_remaining_ms;
    /// The first delay after a failed refresh while the token is usable; it doubles. Default 30 s.
    retry_min, retry_min_ms;
    /// The longest delay, before jitter of up to a fifth. Default 5 minutes.
    retry_max, retry_max_ms;
    /// How long callers wait for an acquisition. Default 15 s.
    wait_timeout, wait_timeout_ms;
    /// How long a background refresh may take. Default 30 s.
    background_timeout, background_timeout_ms;
    /// The shortest time between two forced acquisitions. Default 30 s.
    invalidate_interval, invalidate_interval_ms;
    /// The longest accepted lifetime of a token. Default 48 hours.
    max_lifetime, max_lifetime_ms;
}
