//! Which runs of a submission are recorded together, and what of them a clock times.

use super::Executor;
use crate::gpu::clock::{Piece, What};
use crate::gpu::control::Control;
use crate::gpu::layered::learns;
use crate::gpu::recorder::Dispatch;
use crate::gpu::store::SLOT;
use crate::gpu::whole::Whole;
use crate::kernels::host::to_u32;
use crate::plan::{PlanId, StepControl};

/// How runs are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One run of a plan, call by call.
    Calls,
    /// Steps of a small network as a whole.
    Small,
    /// Steps of a layered network as a whole.
    Layered,
}

/// Runs that one recording stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Slot of the first.
    pub slot: usize,
    /// How they are recorded.
    pub kind: Kind,
    /// Number of runs.
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
            match segment.kind {
                Kind::Calls => self.recorder.each(slice[slot].0, self.iterations, &mut call),
                Kind::Small => pieces.extend(self.small_piece(segment)),
                Kind::Layered => pieces.extend(self.layered_pieces(slice, segment)),
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

    fn small_piece(&self, segment: &Segment) -> Option<Piece> {
        let whole = self.whole.as_ref()?;
        let program = &self.model.program;
        // As a plan that records its iterations; a whole step ends where it has converged, mostly before.
        let iterations = self.iterations.min(whole.iterations(self.iterations));
        let step = program.cost(PlanId::Step, iterations);
        let cost = whole.cost(program, step, segment.steps as u64);
        Some(Piece { what: What::Whole, slot: segment.slot, kernel: "small_step", cost })
    }

    fn layered_pieces(&self, slice: &[(PlanId, &StepControl)], segment: &Segment) -> Vec<Piece> {
        let Some(layered) = &self.layered else { return Vec::new() };
        let iterations = self.iterations.min(layered.iterations(self.iterations));
        let parts = layered.parts(segment.slot, controls(slice, segment)).into_iter();
        parts
            .map(|(part, slot)| {
                let (kernel, cost) = layered.cost(&self.model.program, part, iterations);
                Piece { what: What::Layered(part), slot, kernel, cost }
            })
            .collect()
    }

    /// Records a segment; returns the number of dispatches.
    pub(super) fn record(
        &self,
        pass: &mut wgpu::ComputePass,
        slice: &[(PlanId, &StepControl)],
        segment: &Segment,
    ) -> u64 {
        match (segment.kind, &self.whole, &self.layered) {
            (Kind::Small, Some(whole), _) => {
                whole.record(pass, segment.slot);
                1
            }
            (Kind::Layered, _, Some(layered)) => {
                let parts = layered.parts(segment.slot, controls(slice, segment));
                parts.iter().for_each(|&(part, slot)| layered.record(pass, part, slot));
                parts.len() as u64
            }
            _ => self.recorder.record(pass, slice[segment.slot].0, segment.slot, self.iterations),
        }
    }

    /// Control values of a slice, a slot each.
    pub(super) fn slots(&self, slice: &[(PlanId, &StepControl)], segments: &[Segment]) -> Vec<u8> {
        let mut controls: Vec<Control> = slice.iter().map(|(_, control)| Control::from(*control)).collect();
        for segment in segments {
            let slots = &mut controls[segment.slot..segment.slot + segment.steps];
            match (segment.kind, &self.whole, &self.layered) {
                (Kind::Small, Some(whole), _) => {
                    (slots[0].slot, slots[0].steps) = (to_u32(segment.slot), to_u32(segment.steps));
                    slots[0].iterations = to_u32(whole.iterations(self.iterations));
                }
                (Kind::Layered, _, Some(layered)) => {
                    let iterations = to_u32(layered.iterations(self.iterations));
                    // Which of the two W a step has, and the next one.
                    let mut w = 0;
                    for (k, (control, (_, step))) in slots.iter_mut().zip(&slice[segment.slot..]).enumerate()
                    {
                        let next = if learns(step) { 1 - w } else { w };
                        control.slot = to_u32(segment.slot + k);
                        control.steps = w + 2 * next;
                        control.iterations = iterations;
                        w = next;
                    }
                }
                _ => {}
            }
        }
        let mut bytes = vec![0_u8; slice.len() * SLOT as usize];
        for (control, slot) in controls.iter().zip(bytes.chunks_exact_mut(SLOT as usize)) {
            slot[..size_of::<Control>()].copy_from_slice(bytemuck::bytes_of(control));
        }
        bytes
    }

    /// Which runs are steps that can be taken together.
    pub(super) fn segments(&self, slice: &[(PlanId, &StepControl)]) -> Vec<Segment> {
        let most = self.whole.as_ref().map_or(0, |whole| whole.steps(self.iterations));
        let bounds_apart = self.whole.as_ref().is_some_and(Whole::bounds_apart);
        // Bounds that are met once stay met.
        let mut bounded = self.bounded || !bounds_apart;
        let mut segments: Vec<Segment> = Vec::new();
        for (slot, &(plan, control)) in slice.iter().enumerate() {
            let kind = self.kind(plan, control);
            match segments.last_mut().filter(|last| last.kind == kind && !last.bounds) {
                Some(last) if kind == Kind::Small && last.steps < most => last.steps += 1,
                Some(last) if kind == Kind::Layered => last.steps += 1,
                _ => {
                    let bounds = kind == Kind::Small && !bounded;
                    bounded |= bounds;
                    segments.push(Segment { slot, kind, steps: 1, bounds });
                }
            }
        }
        segments
    }

    /// How a run is recorded.
    pub(super) fn kind(&self, plan: PlanId, control: &StepControl) -> Kind {
        let takes = |whole: &Whole| whole.takes(control) && whole.steps(self.iterations) > 0;
        let fits = |layered: &crate::gpu::layered::Layered| layered.fits(self.iterations);
        match plan {
            PlanId::Step if self.whole.as_ref().is_some_and(takes) => Kind::Small,
            PlanId::ResidentStep if self.layered.as_ref().is_some_and(fits) => Kind::Layered,
            _ => Kind::Calls,
        }
    }
}

/// Controls of the runs of a segment.
fn controls<'a>(
    slice: &'a [(PlanId, &'a StepControl)],
    segment: &Segment,
) -> impl Iterator<Item = &'a StepControl> {
    slice[segment.slot..segment.slot + segment.steps].iter().map(|(_, control)| *control)
}
