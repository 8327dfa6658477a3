//! Runs any events in any order and checks the invariants of the schedule.
#![no_main]

#[path = "../../core/schedule/properties.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;
use properties::{Event, check};

const HOUR: i64 = 3_600_000;

/// Reads numbers from bytes; missing bytes count as 0.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self, bytes: usize) -> u64 {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn below(&mut self, end: i64) -> i64 {
        (self.next(4) as i64) % end
    }

    fn event(&mut self) -> Event {
        match self.next(1) % 16 {
            0..=2 => Event::Request,
            3 => Event::Wake,
            4 => Event::Refresh,
            5 => Event::Acquired {
                life: self.below(26 * HOUR) - HOUR,
            },
            6 => Event::AcquiredLate {
                which: self.next(1) as usize,
                life: self.below(26 * HOUR) - HOUR,
            },
            7 => {
                let status = self.next(2) as u16 % 700;
                let pause = self.below(10 * HOUR) - 5_000;
                Event::Failed {
                    status: (status > 99).then_some(status),
                    retry_after_ms: (pause % 2 == 0).then_some(pause),
                }
            }
            8 => Event::TimedOut,
            9 => Event::RejectedAgain,
            10 => Event::FailedLate {
                which: self.next(1) as usize,
            },
            11 => Event::Invalidate,
            12 => Event::Challenged,
            13 => Event::Pass {
                ms: self.below(2 * HOUR),
            },
            14 => Event::SetClock {
                by: self.next(8) as i64,
            },
            _ => Event::Sleep {
                ms: self.below(30 * HOUR),
            },
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut numbers = Numbers(bytes);
    let random = numbers.next(1) as f64 / 256.0;
    let sleeps = numbers.next(1) % 2 == 1;
    let mut events = Vec::new();
    while !numbers.0.is_empty() && events.len() < 500 {
        events.push(numbers.event());
    }
    check(&events, random, sleeps);
});
