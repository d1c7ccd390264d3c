//! Which runs of a submission are recorded together, and what of them a clock times.

use super::Executor;
use crate::gpu::clock::{Piece, What};
use crate::gpu::recorder::Dispatch;
use crate::gpu::whole::Whole;
use crate::plan::{PlanId, StepControl};

/// Runs that one recording stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Slot of the first.
    pub slot: usize,
    /// Steps as a whole; none: one run of the plan.
    pub steps: usize,
    /// Bounds of weights follow.
    pub bounds: bool,
}

impl Executor {
    /// The dispatches of a slice, one by one, with what they cost.
    pub(super) fn pieces(&self, slice: &[(PlanId, &StepControl)], segments: &[Segment]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for segment in segments {
            let slot = segment.slot;
            let mut call = |dispatch: &Dispatch| {
                let (kernel, cost) = (dispatch.kernel, dispatch.cost);
                pieces.push(Piece { what: What::Call(*dispatch), slot, kernel, cost });
            };
            match self.whole.as_ref().filter(|_| segment.steps > 0) {
                Some(whole) => {
                    let program = &self.model.program;
                    // As a plan that records its iterations; a whole step ends where it has converged, mostly before.
                    let iterations = self.iterations.min(whole.iterations(self.iterations));
                    let step = program.cost(PlanId::Step, iterations);
                    let cost = whole.cost(program, step, segment.steps as u64);
                    pieces.push(Piece { what: What::Whole, slot, kernel: "small_step", cost });
                }
                None => self.recorder.each(slice[slot].0, self.iterations, &mut call),
            }
            if segment.bounds {
                self.recorder.each_bound(&mut |dispatch: &Dispatch| {
                    let (kernel, cost) = (dispatch.kernel, dispatch.cost);
                    pieces.push(Piece { what: What::Call(*dispatch), slot, kernel, cost });
                });
            }
        }
        pieces
    }

    /// Which runs are steps that can be taken together.
    pub(super) fn segments(&self, slice: &[(PlanId, &StepControl)]) -> Vec<Segment> {
        let most = self.whole.as_ref().map_or(0, |whole| whole.steps(self.iterations));
        let bounds_apart = self.whole.as_ref().is_some_and(Whole::bounds_apart);
        // Bounds that are met once stay met.
        let mut bounded = self.bounded || !bounds_apart;
        let mut segments: Vec<Segment> = Vec::new();
        for (slot, &(plan, control)) in slice.iter().enumerate() {
            let whole = self.is_whole(plan, control);
            match segments.last_mut().filter(|last| last.steps > 0 && !last.bounds) {
                Some(last) if whole && last.steps < most => last.steps += 1,
                _ => {
                    let bounds = whole && !bounded;
                    bounded |= bounds;
                    segments.push(Segment { slot, steps: usize::from(whole), bounds });
                }
            }
        }
        segments
    }

    /// Whether a run is a step that is taken as a whole.
    pub(super) fn is_whole(&self, plan: PlanId, control: &StepControl) -> bool {
        let takes = |whole: &Whole| whole.takes(control) && whole.steps(self.iterations) > 0;
        plan == PlanId::Step && self.whole.as_ref().is_some_and(takes)
    }
}
