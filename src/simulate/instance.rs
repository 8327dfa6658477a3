//! Simulates one instance: runs events in the order of time and carries out the decisions of the
//! schedule as js/tokens/keeper.ts does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::scenario::Plan;
use super::timeline::{AttemptOutcome, CallOutcome, Recorder};
use super::work_limit::MEMORY_STEPS;
use super::world::{Answer as Reply, Chance, World, code_of};
use crate::Code;
use crate::schedule::{Answer, Decision, Failure, FailureKind, FlightStart, Now, Outcome, Phase, Schedule};
use crate::token::Millis;

/// How long flights continue after the end of the scenario, in milliseconds. There are no calls in
/// that time.
const AFTERMATH_MS: Millis = 120_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Call,
    Answered {
        flight: u32,
        attempt: u32,
    },
    Repeat {
        flight: u32,
    },
    Deadline {
        flight: u32,
        version: u32,
    },
    Wake {
        version: u32,
    },
    Invalidate,
    /// Only time passes. A phase may have ended.
    Tick,
}

/// A flight in progress.
struct Flight {
    id: u32,
    background: bool,
    attempt: u32,
    sent: Millis,
    requested: Now,
    reply: Reply,
    /// The time of each call that waits.
    waiting: Vec<Millis>,
    deadline_version: u32,
}

pub(super) struct Instance<'a> {
    plan: &'a Plan,
    world: World<'a>,
    chance: Chance,
    recorder: &'a mut Recorder,
    shown: bool,
    schedule: Schedule,
    events: BinaryHeap<Reverse<(Millis, u32, Event)>>,
    sequence: u32,
    flight: Option<Flight>,
    /// The bounds on both clocks until which calls get the token without a decision. `phase` is the
    /// token's phase, `dies` its real expiry.
    until: Option<(Millis, Millis)>,
    phase: Phase,
    dies: Millis,
    last_error: Code,
    wake_version: u32,
}

impl<'a> Instance<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        world: World<'a>,
        chance: Chance,
        recorder: &'a mut Recorder,
        shown: bool,
    ) -> Self {
        Self {
            plan,
            world,
            chance,
            recorder,
            shown,
            schedule: plan.schedule.clone(),
            events: BinaryHeap::new(),
            sequence: 0,
            flight: None,
            until: None,
            phase: Phase::Empty,
            dies: 0,
            last_error: Code::TokenEmpty,
            wake_version: 0,
        }
    }

    pub(super) fn run(mut self) -> crate::Result<()> {
        for &at in &self.plan.invalidations {
            self.push(at, Event::Invalidate);
        }
        for at in self.world.disturbances() {
            self.push(at, Event::Tick);
        }
        self.next_call(None);
        self.record_phase(0);
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            self.world.effort.check()?;
            // A sleeping machine does nothing; an event in that time happens when it wakes.
            let awake = self.world.awake(at);
            if awake > at {
                self.push(awake, event);
                continue;
            }
            if at > self.plan.duration + AFTERMATH_MS {
                break;
            }
            self.handle(at, event);
            self.record_phase(at);
        }
        let unanswered = self.flight.take();
        for called in unanswered.into_iter().flat_map(|flight| flight.waiting) {
            self.recorder.call(
                self.shown,
                called,
                self.plan.duration - called,
                CallOutcome::Failed,
                Some(Code::TokenTimeout),
            );
        }
        Ok(())
    }

    fn handle(&mut self, at: Millis, event: Event) {
        match event {
            Event::Call => {
                self.call(at);
                self.next_call(Some(at));
            }
            Event::Answered { flight, attempt } => self.answered(at, flight, attempt),
            Event::Repeat { flight } => self.send(at, flight),
            Event::Deadline { flight, version } => self.overdue(at, flight, version),
            Event::Wake { version } if version == self.wake_version && at <= self.plan.duration => {
                let start = self.schedule.wake(self.world.now(at));
                if let Some(start) = start {
                    self.launch(at, start, true);
                }
                self.arm_wake(at);
            }
            Event::Invalidate => {
                if self.schedule.invalidate(self.world.now(at)) {
                    self.until = None;
                }
            }
            Event::Wake { .. } | Event::Tick => {}
        }
    }

    fn call(&mut self, at: Millis) {
        let now = self.world.now(at);
        if self
            .until
            .is_some_and(|(wall, mono)| now.wall < wall && now.mono < mono)
        {
            self.serve(at, at, self.phase);
            return;
        }
        match self.schedule.request(now) {
            Decision::Use {
                phase,
                until_wall,
                until_mono,
                start,
            } => {
                if let Some(start) = start {
                    self.launch(at, start, true);
                }
                self.until = Some((until_wall, until_mono));
                self.phase = phase;
                self.serve(at, at, phase);
            }
            Decision::Wait {
                flight,
                timeout_ms,
                start,
            } => {
                if start {
                    self.launch(at, FlightStart { flight, timeout_ms }, false);
                } else {
                    self.arm_deadline(at, timeout_ms);
                }
                if let Some(flight) = &mut self.flight {
                    self.world.effort.spend(MEMORY_STEPS);
                    flight.waiting.push(at);
                }
            }
            Decision::Refuse { .. } | Decision::Closed => {
                self.recorder
                    .call(self.shown, at, 0, CallOutcome::Failed, Some(self.last_error));
            }
        }
    }

    fn serve(&mut self, called: Millis, at: Millis, phase: Phase) {
        let outcome = if at >= self.dies {
            CallOutcome::Dead
        } else if at > called {
            CallOutcome::Waited
        } else if phase == Phase::Fresh {
            CallOutcome::Fresh
        } else {
            CallOutcome::Due
        };
        self.recorder.call(self.shown, called, at - called, outcome, None);
    }

    fn launch(&mut self, at: Millis, start: FlightStart, background: bool) {
        // The schedule has abandoned a flight whose deadline passed while the machine slept.
        if let Some(old) = self.flight.take() {
            self.end_flight(at, old, AttemptOutcome::Abandoned, Err(Code::TokenTimeout));
        }
        self.flight = Some(Flight {
            id: start.flight,
            background,
            attempt: 0,
            sent: at,
            requested: self.world.now(at),
            reply: Reply::Never,
            waiting: Vec::new(),
            deadline_version: 0,
        });
        self.arm_deadline(at, start.timeout_ms);
        self.send(at, start.flight);
    }

    fn send(&mut self, at: Millis, id: u32) {
        let requested = self.world.now(at);
        let reply = self.world.ask(at);
        let Some(flight) = self.flight.as_mut().filter(|flight| flight.id == id) else {
            return;
        };
        flight.attempt += 1;
        flight.sent = at;
        flight.requested = requested;
        flight.reply = reply;
        let attempt = flight.attempt;
        if reply != Reply::Never {
            let after = self.world.latency(reply);
            self.push(at + after, Event::Answered { flight: id, attempt });
        }
    }

    fn answered(&mut self, at: Millis, id: u32, attempt: u32) {
        let Some(flight) = self
            .flight
            .take_if(|flight| flight.id == id && flight.attempt == attempt)
        else {
            return;
        };
        let now = self.world.now(at);
        let random = self.chance.draw();
        match flight.reply {
            Reply::Token { dies, refresh_after } => {
                let answer = Answer {
                    requested: flight.requested,
                    expires_on: (flight.requested.wall + dies - flight.sent) as f64,
                    refresh_after: refresh_after.map(|after| (flight.requested.wall + after) as f64),
                };
                match self.schedule.acquired(id, answer, now, random) {
                    Outcome::Accepted => {
                        self.until = None;
                        self.dies = dies;
                        self.end_flight(at, flight, AttemptOutcome::Succeeded, Ok(()));
                        for point in self.schedule.turning_points().into_iter().flatten() {
                            self.push(at.max(at + point - now.mono), Event::Tick);
                        }
                    }
                    Outcome::Unchanged => self.end_flight(at, flight, AttemptOutcome::Unchanged, Ok(())),
                    Outcome::Refused(error) => {
                        self.end_flight(at, flight, AttemptOutcome::Failed, Err(error.code()));
                    }
                    Outcome::Retry { .. } | Outcome::Failed | Outcome::Ignored => {}
                }
            }
            Reply::Error {
                status,
                retry_after_ms,
            } => {
                let failure = Failure {
                    kind: FailureKind::of(status, false),
                    retry_after_ms,
                };
                if let Outcome::Retry { after_ms } = self.schedule.failed(id, now, failure, random) {
                    self.recorder.attempt(
                        self.shown,
                        flight.sent,
                        at,
                        flight.background,
                        AttemptOutcome::Failed,
                    );
                    self.flight = Some(flight);
                    self.push(at + after_ms, Event::Repeat { flight: id });
                } else {
                    self.end_flight(at, flight, AttemptOutcome::Failed, Err(code_of(status)));
                }
            }
            Reply::Never => {}
        }
    }

    fn overdue(&mut self, at: Millis, id: u32, version: u32) {
        let due = |flight: &mut Flight| flight.id == id && flight.deadline_version == version;
        if let Some(flight) = self.flight.take_if(due) {
            let random = self.chance.draw();
            self.schedule.timed_out(id, self.world.now(at), None, random);
            self.end_flight(at, flight, AttemptOutcome::Abandoned, Err(Code::TokenTimeout));
        }
    }

    /// Ends a flight: settles its callers and records its last attempt.
    fn end_flight(&mut self, at: Millis, flight: Flight, outcome: AttemptOutcome, result: Result<(), Code>) {
        self.until = None;
        self.recorder
            .attempt(self.shown, flight.sent, at, flight.background, outcome);
        if let Err(code) = result {
            self.last_error = code;
        }
        for called in flight.waiting {
            match result {
                Ok(()) => self.serve(called, at, Phase::Fresh),
                Err(code) => {
                    self.recorder
                        .call(self.shown, called, at - called, CallOutcome::Failed, Some(code));
                }
            }
        }
        self.arm_wake(at);
    }

    fn arm_deadline(&mut self, at: Millis, timeout_ms: Millis) {
        if let Some(flight) = &mut self.flight {
            flight.deadline_version += 1;
            let event = Event::Deadline {
                flight: flight.id,
                version: flight.deadline_version,
            };
            self.push(at + timeout_ms, event);
        }
    }

    fn arm_wake(&mut self, at: Millis) {
        self.wake_version += 1;
        if !self.plan.keep_fresh || self.flight.is_some() {
            return;
        }
        if let Some(wait) = self.schedule.next_wake(self.world.now(at)) {
            self.push(
                at + wait,
                Event::Wake {
                    version: self.wake_version,
                },
            );
        }
    }

    fn next_call(&mut self, after: Option<Millis>) {
        if let Some(at) = self.world.next_call(after) {
            self.push(at, Event::Call);
        }
    }

    fn record_phase(&mut self, at: Millis) {
        if self.shown && at <= self.plan.duration {
            let phase = self.schedule.phase(self.world.now(at));
            self.recorder.phase(at, phase);
        }
    }

    fn push(&mut self, at: Millis, event: Event) {
        // Events after the end never happen.
        if at > self.plan.duration + AFTERMATH_MS {
            return;
        }
        // Only one call is scheduled at a time.
        self.world
            .effort
            .spend(if event == Event::Call { 1 } else { MEMORY_STEPS });
        self.sequence = self.sequence.wrapping_add(1);
        self.events.push(Reverse((at, self.sequence, event)));
    }
}
