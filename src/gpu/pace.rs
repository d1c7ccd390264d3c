//! How much work goes into one submission.
//!
//! A consumer GPU that draws a desktop is reset by its driver if one submission takes about two seconds, and the desktop stutters
//! long before. The first submissions grow and are waited for; from then on the budget stands and nothing waits.

use std::time::Duration;

/// What a submission should take.
const TARGET: Duration = Duration::from_millis(50);

/// A shorter one tells too little about longer ones.
const TELLING: Duration = Duration::from_millis(4);

/// Growth from one measured submission to the next.
const GROWTH: f64 = 8.0;

/// Measured submissions before the budget stands in any case.
const TRIALS: u32 = 12;

/// Units of work that a call costs beside its products: what a dispatch takes, in floating-point operations of a slow adapter.
const CALL: u64 = 50_000;

/// The budget of a submission, in units of [`units`].
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    budget: f64,
    trials: u32,
    settled: bool,
}

/// Units of a plan run once.
#[must_use]
pub fn units(calls: u64, flops: u64) -> u64 {
    (calls * CALL + flops).max(1)
}

impl Pace {
    /// Before anything was measured: one step.
    #[must_use]
    pub fn new() -> Self {
        Self { budget: 1.0, trials: 0, settled: false }
    }

    /// Whether a submission of this size is full.
    #[must_use]
    pub fn is_full(&self, units: u64) -> bool {
        units as f64 >= self.budget
    }

    /// Whether submissions are still measured.
    #[must_use]
    pub fn measures(&self) -> bool {
        !self.settled
    }

    /// Takes a measured submission into account.
    pub fn measured(&mut self, units: u64, took: Duration) {
        self.trials += 1;
        let fits = units as f64 * TARGET.as_secs_f64() / took.as_secs_f64().max(1e-6);
        self.budget = fits.min(units as f64 * GROWTH).max(1.0);
        // The first submission also pays for whatever the driver puts off until then.
        self.settled = (self.trials > 1 && took >= TELLING) || self.trials >= TRIALS;
        if self.settled {
            self.budget = fits.max(1.0);
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn settles_near_the_target_whatever_the_speed() {
        for units_per_second in [1e4, 1e7, 1e11] {
            let mut pace = Pace::new();
            for _ in 0..20 {
                if !pace.measures() {
                    break;
                }
                // Steps of 100 units, up to the budget.
                let work = 100 * ((pace.budget / 100.0).ceil() as u64).max(1);
                pace.measured(work, Duration::from_secs_f64(work as f64 / units_per_second));
            }
            assert!(!pace.measures());
            let took = pace.budget / units_per_second;
            assert!((0.001..=0.051).contains(&took), "{units_per_second}: {took} s");
        }
    }
}
