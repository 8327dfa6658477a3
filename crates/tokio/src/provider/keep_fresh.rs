//! Refreshes the token while nobody asks.

use std::sync::Weak;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::sleep;

use super::TokenStatus;
use super::shared::Shared;

/// The shortest time between two looks.
const LEAST: Duration = Duration::from_millis(1);

/// Starts each refresh when it is due, until the provider is closed or dropped.
pub(super) async fn run(shared: Weak<Shared>, mut changes: watch::Receiver<TokenStatus>) {
    loop {
        if changes.borrow_and_update().phase == copilot_keyless::schedule::Phase::Closed {
            return;
        }
        let Some(next) = shared.upgrade().map(|shared| shared.wake(&Handle::current())) else {
            return;
        };
        let due = async {
            match next {
                Some(next) => sleep(next.max(LEAST)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = changes.changed() => if ended.is_err() { return },
            () = due => {}
        }
    }
}
