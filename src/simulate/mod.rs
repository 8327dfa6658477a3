//! Simulates a token provider: runs the real schedule with a simulated clock, identity endpoint and
//! callers. The timeline shows the decisions of the real state machine.

mod instance;
mod other_strategies;
mod scenario;
mod timeline;
mod work_limit;
mod world;

pub use scenario::{Calls, ClockStep, FailureMode, Outage, RefreshScenario, Strategy, Suspend, TokenScript};
pub use timeline::{Attempt, AttemptOutcome, Call, CallOutcome, Fleet, PhaseSpan, RefreshTimeline, Totals};

use crate::Result;
use instance::Instance;
use timeline::Recorder;
use work_limit::Effort;
use world::{Chance, World};

/// Simulates a scenario and returns its timeline. The same scenario always returns the same
/// timeline.
///
/// Times are milliseconds from the start of the scenario. The timeline shows the first instance
/// call by call; the totals and the fleet's request rate cover all instances.
///
/// Errors: `scenario/invalid` for a field out of range and for a scenario that takes more than a
/// few seconds of work; `policy/invalid`.
///
/// ```
/// use copilot_keyless::simulate::{Outage, RefreshScenario, TokenScript, simulate};
///
/// // A token of 24 h, and no identity endpoint for the second half of its life.
/// let hour = 3_600_000;
/// let timeline = simulate(&RefreshScenario {
///     duration_ms: 24 * hour,
///     token: TokenScript { lifetimes_ms: vec![24 * hour], ..TokenScript::default() },
///     outages: vec![Outage { from_ms: 12 * hour, to_ms: 24 * hour, ..Outage::default() }],
///     ..RefreshScenario::default()
/// })
/// .unwrap();
/// assert!(timeline.totals.attempts <= 200);
/// assert_eq!(timeline.totals.failed, 0);
/// ```
pub fn simulate(scenario: &RefreshScenario) -> Result<RefreshTimeline> {
    let plan = scenario.check()?;
    let mut recorder = Recorder::new(&plan);
    let effort = Effort::new();
    for number in 0..plan.instances {
        let mut chance = Chance::new(plan.seed, number);
        let delay = chance.start_delay(&plan);
        let mut world = World::new(&plan, delay, &effort);
        let shown = number == 0;
        match plan.strategy {
            Strategy::Keyless => Instance::new(&plan, world, chance, &mut recorder, shown).run()?,
            Strategy::PerCall | Strategy::FixedWindow => {
                other_strategies::run(&plan, &mut world, &mut recorder, shown)?;
            }
        }
    }
    Ok(recorder.finish())
}
