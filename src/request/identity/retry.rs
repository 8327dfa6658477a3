//! Decides when to retry a request to an identity endpoint.

use super::Source;
use crate::schedule::jittered;

/// The delays that IMDS documents: none, then longer and longer ones.
const IMDS_PAUSES_MS: [u32; 5] = [0, 2_000, 6_000, 14_000, 30_000];

/// The delays while IMDS is being updated (410), which may take 70 s.
const IMDS_UPDATE_PAUSES_MS: [u32; 5] = [1_000, 4_000, 10_000, 20_000, 35_000];

const PAUSES_MS: [u32; 3] = [1_000, 2_000, 4_000];

/// A `Retry-After` of this length or longer ends the attempts. A caller waits no longer for a token
/// (`wait_timeout_ms`), so it gets the error at once instead.
const ASKED_MAX_MS: u32 = 15_000;

/// Returns the delay before the next attempt; `None` if a retry is pointless. `attempt` counts from
/// 0; status 0 means no response. `Retry-After` is the minimum; from
/// [`ASKED_MAX_MS`] on, there is no retry. Jitter is added last: `random` is uniform in 0..1.
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
        // A failed connection gets two more attempts only, because there may be no endpoint at all.
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
