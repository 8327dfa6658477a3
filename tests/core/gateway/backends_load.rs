//! Sends 10,000 requests a second by the rules, in simulated time, to three regions: one fails, one
//! is slow, one is at its quota, and all recover.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use copilot_keyless::gateway::{Backend, Choice, Outcome, Pool, Wanted, asks_next};

const PER_MS: i64 = 10;
const LATENCY: i64 = 50;
const SLOW: i64 = 1_000;
/// Of the region at its quota, each second.
const QUOTA: u32 = 500;

/// The times of each trouble, in milliseconds.
const DOWN: std::ops::Range<i64> = 3_000..6_000;
const SLOWED: std::ops::Range<i64> = 9_000..12_000;
const FULL: std::ops::Range<i64> = 15_000..18_000;
const END: i64 = 24_000;

/// A request that a region answers later. Ordered by time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pending {
    at: i64,
    sent: i64,
    region: usize,
    outcome: u16,
    tried: Vec<usize>,
}

/// `outcome` of a region that cannot be reached.
const DOWN_OUTCOME: u16 = 0;

struct World {
    pool: Pool,
    pending: BinaryHeap<Reverse<Pending>>,
    random: u64,
    /// Requests to each region, by second.
    sent: Vec<[u32; 3]>,
    answered: u32,
    lost: u32,
    tries: u32,
}

impl World {
    fn chance(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn send(&mut self, wanted: &Wanted, tried: Vec<usize>, now: i64) {
        let chance = self.chance();
        let Choice::Ask(region) = self.pool.choose(wanted, &tried, tried.is_empty(), now, chance) else {
            self.lost += 1;
            return;
        };
        self.tries += 1;
        let second = &mut self.sent[usize::try_from(now / 1_000).unwrap()];
        second[region] += 1;
        let (latency, outcome) = match region {
            0 if DOWN.contains(&now) => (5, DOWN_OUTCOME),
            1 if SLOWED.contains(&now) => (SLOW, 200),
            2 if FULL.contains(&now) && second[2] > QUOTA => (5, 429),
            _ => (LATENCY, 200),
        };
        self.pending.push(Reverse(Pending {
            at: now + latency,
            sent: now,
            region,
            outcome,
            tried,
        }));
    }

    fn receive(&mut self, wanted: &Wanted, pending: Pending) {
        let Pending {
            at,
            sent,
            region,
            outcome,
            mut tried,
        } = pending;
        let outcome = match outcome {
            DOWN_OUTCOME => Outcome::Unreachable,
            status => Outcome::Answered {
                status,
                retry_after_ms: (status == 429).then_some(1_000),
            },
        };
        let chance = self.chance();
        self.pool.report(region, wanted, outcome, sent, at, chance);
        self.pool.finish(region);
        if asks_next(outcome, true, true, false) {
            tried.push(region);
            self.send(wanted, tried, at);
        } else {
            self.answered += 1;
        }
    }

    fn share(&self, region: usize, seconds: std::ops::Range<usize>) -> f64 {
        let all = &self.sent[seconds];
        let total: u32 = all.iter().flatten().sum();
        f64::from(all.iter().map(|second| second[region]).sum::<u32>()) / f64::from(total)
    }
}

#[test]
fn ten_thousand_requests_a_second_to_a_region_down_one_slow_and_one_at_its_quota() {
    let backend = |name: &str| Backend {
        resource: name.to_owned(),
        models: Vec::new(),
        priority: 0,
        weight: 1,
    };
    let mut world = World {
        pool: Pool::new(["east", "west", "north"].map(backend).to_vec()),
        pending: BinaryHeap::new(),
        random: 0x9e37_79b9_7f4a_7c15,
        sent: vec![[0; 3]; 30],
        answered: 0,
        lost: 0,
        tries: 0,
    };
    let wanted = Wanted::read("/openai/v1/responses", br#"{"model":"m"}"#);
    for now in 0..END {
        while world.pending.peek().is_some_and(|Reverse(next)| next.at <= now) {
            let Reverse(next) = world.pending.pop().unwrap();
            world.receive(&wanted, next);
        }
        for _ in 0..PER_MS {
            world.send(&wanted, Vec::new(), now);
        }
    }
    while let Some(Reverse(next)) = world.pending.pop() {
        world.receive(&wanted, next);
    }

    // Every request is answered, and hardly any takes a second try.
    assert_eq!(
        (u32::try_from(END * PER_MS).unwrap(), 0),
        (world.answered, world.lost)
    );
    let repeated = world.tries - world.answered;
    assert!(repeated < 1_000, "{repeated} of {} repeated", world.answered);
    let third = |share: f64| (0.32..0.35).contains(&share);
    for region in 0..3 {
        assert!(third(world.share(region, 0..3)), "at first: {region}");
        // A second after its trouble each region has its share again; after a pause of four seconds
        // that its probes have prolonged, too.
        assert!(third(world.share(region, 21..24)), "at the end: {region}");
    }
    // Down: what was on its way in the first five milliseconds, and a probe a pause.
    let to_down: u32 = world.sent[3..6].iter().map(|second| second[0]).sum();
    assert!(to_down < 60, "{to_down} to the region that is down");
    assert!(third(world.share(0, 8..9)), "recovered: {}", world.share(0, 8..9));
    // Slow: it has a queue, so it gets less.
    assert!(world.share(1, 10..12) < 0.15, "slow: {}", world.share(1, 10..12));
    assert!(
        third(world.share(1, 13..15)),
        "recovered: {}",
        world.share(1, 13..15)
    );
    // At its quota: its quota, and what was on its way when it was met.
    let refused: u32 = world.sent[15..18]
        .iter()
        .map(|second| second[2].saturating_sub(QUOTA))
        .sum();
    assert!(refused < 300, "{refused} beyond the quota");
    assert!(world.sent[16][2] >= 1, "nothing at all: {:?}", world.sent);
    assert!(
        third(world.share(2, 20..21)),
        "recovered: {}",
        world.share(2, 20..21)
    );
}
