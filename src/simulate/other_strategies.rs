//! Two common ways to handle tokens, to compare with.

use super::scenario::{Plan, Strategy};
use super::timeline::{AttemptOutcome, CallOutcome, Recorder};
use super::world::{Answer, World, code_of};
use crate::token::Millis;
use crate::{Code, Result};

/// Within this of the expiry a token is refreshed in the background.
const WINDOW_MS: Millis = 120_000;

/// Within this of the expiry callers wait.
const FORCED_MS: Millis = 1_000;

/// The pause between two attempts.
const RETRY_MS: Millis = 3_000;

/// Plays a life without the schedule.
pub(super) fn run(plan: &Plan, world: &mut World<'_>, recorder: &mut Recorder, shown: bool) -> Result<()> {
    let mut at = world.next_call(None);
    let mut window = Window {
        held: None,
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

/// A call that waits for an answer of its own.
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
            // No deadline: it hangs to the end.
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

/// A kept token with a fixed refresh window.
struct Window {
    /// The token: from when on it is held, and until when it is thought to be good, by the wall clock; when it really dies.
    held: Option<(Millis, Millis, Millis)>,
    /// Until when the background refresh has been played.
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
        if let Some((since, expires, dies)) = self.held.filter(|(_, expires, _)| wall < expires - FORCED_MS) {
            if at < since {
                // The refresh that a caller waits for is still under way.
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

    /// The refresh in the background: again and again until it succeeds or the token expires.
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
            self.held = Some((since, world.now(at).wall + dies - at, dies));
        }
    }
}
