//! Explores every state of a conversation: every outcome of every action, with every wish that
//! callers may have meanwhile.

use std::collections::{HashMap, HashSet};

use copilot_keyless::conversation::{Action, Close, Lifecycle, MAX_RECOVERIES, Outcome, Wants};

/// Returns the possible outcomes of an action. During each, a runtime may die and a caller may
/// leave.
fn outcomes(action: Action) -> &'static [Outcome] {
    use Outcome as O;
    match action {
        Action::Rest | Action::Fail => &[O::Woken],
        Action::Lease => &[O::Leased, O::Refused, O::Dead],
        Action::Check => &[O::Alive, O::Worn, O::Dead],
        Action::Open => &[O::Opened, O::Refused, O::Dead],
        Action::Send => &[O::Finished, O::Unsettled, O::Gone, O::Dead],
        Action::Settle => &[O::Finished, O::Restless, O::Dead],
        Action::Detach => &[O::Detached],
        Action::Delete => &[O::Deleted],
        Action::Release | Action::Discard => &[O::Released],
        Action::End => &[],
    }
}

const ALL_OUTCOMES: [Outcome; 14] = [
    Outcome::Woken,
    Outcome::Leased,
    Outcome::Alive,
    Outcome::Worn,
    Outcome::Opened,
    Outcome::Refused,
    Outcome::Finished,
    Outcome::Unsettled,
    Outcome::Restless,
    Outcome::Gone,
    Outcome::Dead,
    Outcome::Detached,
    Outcome::Deleted,
    Outcome::Released,
];

/// A conversation and the real state of its runtime and session, derived from actions and outcomes
/// only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    lifecycle: Lifecycle,
    action: Action,
    leased: bool,
    attached: bool,
    files: bool,
    /// The turn that waits, and how often it was sent.
    turn: Option<u32>,
    sent: u8,
    close: Close,
}

impl World {
    fn start() -> Self {
        Self {
            lifecycle: Lifecycle::default(),
            action: Action::Rest,
            leased: false,
            attached: false,
            files: false,
            turn: None,
            sent: 0,
            close: Close::No,
        }
    }

    /// Returns the possible wishes after an action: unchanged, an abort, another prompt, a close.
    fn wishes(&self) -> Vec<Wants> {
        let mut turns = vec![self.turn, None, Some(1), Some(2)];
        turns.dedup();
        let closes: &[Close] = match self.close {
            Close::No | Close::Idle => &[Close::No, Close::Idle, Close::Keep, Close::Delete],
            Close::Keep => &[Close::Keep],
            Close::Delete => &[Close::Delete],
        };
        // A close ends every turn.
        closes
            .iter()
            .flat_map(|&close| {
                let turns = if close.is_final() {
                    vec![None]
                } else {
                    turns.clone()
                };
                turns.into_iter().map(move |turn| Wants { turn, close })
            })
            .collect()
    }

    /// Applies an outcome and returns the next state. Panics if an invariant is broken.
    fn after(&self, outcome: Outcome, wants: Wants) -> Self {
        let mut next = self.clone();
        match (self.action, outcome) {
            (Action::Lease, Outcome::Leased) => next.leased = true,
            (Action::Open, Outcome::Opened) => (next.attached, next.files) = (true, true),
            (Action::Release | Action::Discard, _) => next.leased = false,
            (Action::Detach, _) | (_, Outcome::Gone | Outcome::Dead) => next.attached = false,
            (Action::Delete, _) => next.files = false,
            _ => {}
        }
        if self.turn != wants.turn {
            next.sent = 0;
        }
        (next.turn, next.close) = (wants.turn, wants.close);
        // The turn reports a rejection and its end to its caller.
        if matches!(outcome, Outcome::Refused | Outcome::Finished | Outcome::Unsettled)
            || self.action == Action::Fail
        {
            assert!(
                wants.turn != self.turn || wants.turn.is_none(),
                "a test's own fault"
            );
        }
        next.action = next.lifecycle.next(outcome, wants);
        match next.action {
            Action::Rest => {
                assert!(
                    next.turn.is_none() && !next.close.is_final(),
                    "nobody is left waiting"
                );
                assert!(
                    next.close == Close::No || !(next.attached || next.leased),
                    "an idle one holds nothing"
                );
            }
            Action::Lease => assert!(!next.leased, "one runtime at a time"),
            Action::Check | Action::Settle | Action::Detach => assert!(next.attached && next.leased),
            Action::Open => assert!(next.leased && !next.attached, "a session is never opened twice"),
            Action::Send => {
                assert!(
                    next.leased && next.attached,
                    "a prompt goes to a session that is there"
                );
                assert!(
                    next.turn.is_some() && !next.close.is_final(),
                    "for somebody who waits"
                );
                next.sent += 1;
                assert!(next.sent <= MAX_RECOVERIES + 1, "sent too often");
            }
            Action::Delete => {
                assert!(next.leased && !next.attached && next.files && next.close == Close::Delete);
            }
            Action::Release | Action::Discard => {
                assert!(
                    next.leased && !next.attached,
                    "what is given back is held, and left"
                );
            }
            Action::Fail => assert!(next.turn.is_some()),
            Action::End => {
                assert!(
                    !next.leased && !next.attached && next.close.is_final(),
                    "nothing is left behind"
                );
            }
        }
        next
    }

    fn successors(&self) -> Vec<Self> {
        outcomes(self.action)
            .iter()
            .flat_map(|&outcome| {
                self.wishes()
                    .into_iter()
                    .filter(move |wants| {
                        let over =
                            matches!(outcome, Outcome::Refused | Outcome::Finished | Outcome::Unsettled)
                                || self.action == Action::Fail;
                        !over || wants.turn.is_none() || wants.turn != self.turn
                    })
                    .filter(move |wants| {
                        self.action != Action::Rest || wants.turn.is_some() || wants.close != Close::No
                    })
                    .map(move |wants| self.after(outcome, wants))
            })
            .collect()
    }
}

/// Returns all reachable states.
fn reachable() -> HashSet<World> {
    let mut seen = HashSet::from([World::start()]);
    let mut queue = vec![World::start()];
    while let Some(world) = queue.pop() {
        for next in world.successors() {
            if seen.insert(next.clone()) {
                queue.push(next);
            }
        }
    }
    seen
}

/// Returns the length of the longest path on which `continues` holds. Panics if there is a cycle.
fn longest(
    world: &World,
    continues: &dyn Fn(&World, &World) -> bool,
    known: &mut HashMap<World, Option<usize>>,
) -> usize {
    match known.get(world) {
        Some(Some(length)) => return *length,
        Some(None) => panic!("a way without end through {world:?}"),
        None => {}
    }
    known.insert(world.clone(), None);
    let length = world
        .successors()
        .iter()
        .filter(|next| continues(world, next))
        .map(|next| 1 + longest(next, continues, known))
        .max()
        .unwrap_or_default();
    known.insert(world.clone(), Some(length));
    length
}

#[test]
fn no_order_of_aborts_deaths_moves_and_closes_breaks_a_promise() {
    let worlds = reachable();
    for action in [
        Action::Fail,
        Action::Discard,
        Action::Delete,
        Action::Settle,
        Action::Detach,
        Action::End,
    ] {
        assert!(worlds.iter().any(|world| world.action == action), "{action:?}");
    }
    assert!(worlds.len() > 300, "{}", worlds.len());
}

#[test]
fn a_close_ends_after_a_few_actions() {
    let mut known = HashMap::new();
    let closing = |_: &World, next: &World| next.close.is_final();
    for world in reachable().iter().filter(|world| world.close.is_final()) {
        assert!(longest(world, &closing, &mut known) <= 8, "{world:?}");
    }
    let stuck = |world: &&World| world.action != Action::End && world.successors().is_empty();
    assert_eq!(reachable().iter().find(stuck), None);
}

#[test]
fn an_idle_conversation_leaves_its_session_after_a_few_actions() {
    let mut known = HashMap::new();
    let leaving = |_: &World, next: &World| {
        next.turn.is_none() && next.close == Close::Idle && next.action != Action::Rest
    };
    let idle =
        |world: &&World| world.turn.is_none() && world.close == Close::Idle && world.action != Action::Rest;
    for world in reachable().iter().filter(idle) {
        assert!(longest(world, &leaving, &mut known) <= 8, "{world:?}");
    }
}

#[test]
fn a_turn_that_waits_is_sent_or_told_after_a_few_actions() {
    let mut known = HashMap::new();
    let waits = |world: &World, next: &World| {
        next.turn.is_some() && next.turn == world.turn && next.action != Action::Fail
    };
    for world in reachable().iter().filter(|world| world.turn.is_some()) {
        let most = 5 * (usize::from(MAX_RECOVERIES) + 1);
        assert!(longest(world, &waits, &mut known) <= most, "{world:?}");
    }
}

#[test]
fn what_comes_late_changes_nothing() {
    for world in reachable() {
        for outcome in ALL_OUTCOMES {
            if outcomes(world.action).contains(&outcome) {
                continue;
            }
            for wants in world.wishes() {
                let mut lifecycle = world.lifecycle.clone();
                let action = lifecycle.next(outcome, wants);
                let resting =
                    matches!(world.action, Action::Rest | Action::Fail) && outcome == Outcome::Woken;
                assert!(
                    resting || lifecycle == world.lifecycle,
                    "{outcome:?} in {world:?}"
                );
                assert!(resting || matches!(action, Action::Rest | Action::End));
            }
        }
    }
}
