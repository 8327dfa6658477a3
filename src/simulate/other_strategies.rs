//! Simulates two common strategies, for comparison.

use super::scenario::{Plan, Strategy};
use super::timeline::{AttemptOutcome, CallOutcome, Recorder};
use super::world::{Answer, World, code_of};
use crate::token::Millis;
use crate::{Code, Result};

/// How long before the expiry a background refresh starts.
const WINDOW_MS: Millis = 120_000;

/// How long before the expiry callers wait for a refresh.
const FORCED_MS: Millis = 1_000;

/// The delay between two attempts.
const RETRY_MS: Millis = 3_000;

/// Simulates an instance without the schedule.
pub(super) fn run(plan: &Plan, world: &mut World<'_>, recorder: &mut Recorder, shown: bool) -> Result<()> {
    let mut at = world.next_call(None);
    let mut window = Window {
        token: None,
        refreshed: 0,
    };
    while let Some(called) = at {
        world.effort.check()?;
        let awake = world.awake(called);
        match plan.strategy {
            Strategy::FixedWindow => window.call(plan, world, recorder, shown, awake)?,
            Strategy::PerCall | Strategy::Keyless => per_call(plan, world, recorder, shown, awake),
        }
        at = world.next_call(Some(called.max(awake)));
    }
    Ok(())
}

fn per_call(plan: &Plan, world: &mut World<'_>, recorder: &mut Recorder, shown: bool, at: Millis) {
    let reply = world.ask(at);
    let end = at + world.latency(reply);
    finish(plan, recorder, shown, at, end, reply);
}

/// Records a call that waits for its own response.
fn finish(plan: &Plan, recorder: &mut Recorder, shown: bool, at: Millis, end: Millis, reply: Answer) {
    match reply {
        Answer::Token { .. } => {
            recorder.attempt(shown, at, end, false, AttemptOutcome::Succeeded);
            recorder.call(shown, at, end - at, CallOutcome::Waited, None);
        }
        Answer::Error { status, .. } => {
            recorder.attempt(shown, at, end, false, AttemptOutcome::Failed);
            recorder.call(shown, at, end - at, CallOutcome::Failed, Some(code_of(status)));
        }
        Answer::Never => {
            // Without a deadline, it waits to the end.
            recorder.attempt(shown, at, plan.duration, false, AttemptOutcome::Abandoned);
            recorder.call(
                shown,
                at,
                plan.duration - at,
                CallOutcome::Failed,
                Some(Code::TokenTimeout),
            );
        }
    }
}

/// A cached token with a fixed refresh window.
struct Window {
    /// The token: the time from which it is stored, its expiry by the wall clock, and its real
    /// expiry.
    token: Option<(Millis, Millis, Millis)>,
    /// The time up to which the background refresh was simulated.
    refreshed: Millis,
}

impl Window {
    fn call(
        &mut self,
        plan: &Plan,
        world: &mut World<'_>,
        recorder: &mut Recorder,
        shown: bool,
        at: Millis,
    ) -> Result<()> {
        let wall = world.now(at).wall;
        if let Some((since, expires, dies)) = self.token.filter(|(_, expires, _)| wall < expires - FORCED_MS)
        {
            if at < since {
                // The caller joins a refresh that is in progress.
                recorder.call(shown, at, since - at, CallOutcome::Waited, None);
                return Ok(());
            }
            let outcome = match () {
                () if at >= dies => CallOutcome::Dead,
                () if wall < expires - WINDOW_MS => CallOutcome::Fresh,
                () => CallOutcome::Due,
            };
            recorder.call(shown, at, 0, outcome, None);
            if outcome != CallOutcome::Fresh && at >= self.refreshed {
                self.refresh(plan, world, recorder, shown, at, expires)?;
            }
            return Ok(());
        }
        let reply = world.ask(at);
        let end = at + world.latency(reply);
        self.keep(world, reply, at, end);
        finish(plan, recorder, shown, at, end, reply);
        Ok(())
    }

    /// Simulates the background refresh: retries until it succeeds or the token expires.
    fn refresh(
        &mut self,
        plan: &Plan,
        world: &mut World<'_>,
        recorder: &mut Recorder,
        shown: bool,
        from: Millis,
        expires: Millis,
    ) -> Result<()> {
        let mut at = from;
        while at <= plan.duration && world.now(at).wall < expires {
            world.effort.check()?;
            let reply = world.ask(at);
            let end = at + world.latency(reply);
            self.refreshed = end + RETRY_MS;
            match reply {
                Answer::Token { .. } => {
                    recorder.attempt(shown, at, end, true, AttemptOutcome::Succeeded);
                    self.keep(world, reply, at, from);
                    return Ok(());
                }
                Answer::Error { .. } => recorder.attempt(shown, at, end, true, AttemptOutcome::Failed),
                Answer::Never => {
                    recorder.attempt(shown, at, plan.duration, true, AttemptOutcome::Abandoned);
                    self.refreshed = plan.duration;
                    return Ok(());
                }
            }
            at = self.refreshed;
        }
        Ok(())
    }

    fn keep(&mut self, world: &World<'_>, reply: Answer, at: Millis, since: Millis) {
        if let Answer::Token { dies, .. } = reply {
            self.token = Some((since, world.now(at).wall + dies - at, dies));
        }
    }
}
