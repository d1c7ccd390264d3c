//! Presentations on their way, and the epoch that they belong to.

use std::collections::VecDeque;
use std::time::Instant;

use super::Tally;
use crate::data::MiniBatch;
use crate::dynamics::Model;
use crate::engine::{Snapshot, Ticket};
use crate::kernels::solver;

/// What a presentation needed of the solver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Largest number of iterations of a step.
    pub most: usize,
    /// Whether they were too few somewhere.
    pub short: bool,
}

impl Need {
    /// Of the trajectories of a submission.
    #[must_use]
    pub fn of(shot: &Snapshot) -> Self {
        let rows = || shot.solver.chunks_exact(solver::LEN);
        Self {
            most: rows().map(|r| r[solver::MOST]).fold(0.0, f64::max) as usize,
            short: rows().any(|r| r[solver::UNCONVERGED] > 0.0),
        }
    }

    /// The loop count of the next presentation: two more than the largest count, or twice the recorded count where that was not enough.
    /// Depends on results alone, never on timing.
    #[must_use]
    pub fn next(self, iterations: usize, at_most: usize) -> usize {
        let wanted = if self.short { iterations.max(self.most) * 2 } else { self.most + 2 };
        wanted.clamp(1, at_most.max(1))
    }
}

/// What a presentation leaves.
pub(super) enum Shot {
    /// The device works on it.
    Ticket(Ticket),
    /// It was probed, and waited for.
    Taken(Snapshot),
}

/// A presentation that was submitted and whose need does not count yet.
pub(super) enum Flight {
    /// The device works on it, or nobody has looked at what it left.
    Away {
        shot: Shot,
        batch: Box<MiniBatch>,
        /// From 1, within its epoch.
        number: usize,
    },
    /// It is booked: a state was saved meanwhile.
    Landed(Need),
}

/// An epoch on its way.
pub(super) struct Pass {
    /// From 1.
    pub epoch: usize,
    /// Mini-batches submitted.
    pub presented: usize,
    pub tally: Tally,
    pub flights: VecDeque<Flight>,
    /// Seconds that the epoch took before this process went on with it.
    pub before_s: f64,
    pub started: Instant,
}

impl Pass {
    pub(super) fn new(epoch: usize, model: &Model) -> Self {
        Self {
            epoch,
            presented: 0,
            tally: Tally::new(model),
            flights: VecDeque::new(),
            before_s: 0.0,
            started: Instant::now(),
        }
    }

    /// Seconds that the epoch took so far.
    pub(super) fn seconds(&self) -> f64 {
        self.before_s + self.started.elapsed().as_secs_f64()
    }
}
