//! When an identity endpoint is asked again.

use super::Source;
use crate::schedule::jittered;

/// IMDS's own rule: at once, then after ever longer pauses.
const IMDS_PAUSES_MS: [u32; 5] = [0, 2_000, 6_000, 14_000, 30_000];

/// IMDS is being updated (410): it may take 70 s.
const IMDS_UPDATE_PAUSES_MS: [u32; 5] = [1_000, 4_000, 10_000, 20_000, 35_000];

const PAUSES_MS: [u32; 3] = [1_000, 2_000, 4_000];

/// A longer pause is the caller's to make: who waits for a token does so for no longer (`wait_timeout_ms`), and had better hear why.
const ASKED_MAX_MS: u32 = 15_000;

/// How long to wait before the next attempt; none if there is no use in one. `attempt` counts from 0; status 0 is no answer.
/// What the endpoint asks for in `Retry-After` is the least, and nothing is waited for that asks for too much. Jitter comes after
/// that: `random` is uniform in 0..1.
pub(super) fn pause_ms(
    source: Source,
    status: u16,
    attempt: u32,
    retry_after_ms: Option<u32>,
    random: f64,
) -> Option<u32> {
    let pauses: &[u32] = match (source, status) {
        (Source::Imds, 410) => &IMDS_UPDATE_PAUSES_MS,
        (Source::Imds, 404 | 429 | 500..) => &IMDS_PAUSES_MS,
        // A connection that failed is tried twice more: nothing may be there at all.
        (_, 0) => PAUSES_MS.get(..2).unwrap_or_default(),
        (_, 408 | 429 | 500..) => &PAUSES_MS,
        _ => &[],
    };
    let asked = retry_after_ms.unwrap_or_default();
    pauses
        .get(attempt as usize)
        .filter(|_| asked < ASKED_MAX_MS)
        .map(|pause| jittered((*pause).max(asked).into(), random) as u32)
}
