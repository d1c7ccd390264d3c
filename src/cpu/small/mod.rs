//! A time step of a small network in few passes, for [`crate::plan::Small`]: what its plain twin does call by call.
//!
//! Trajectories are taken in groups that lie side by side (see [`super::group`]), single ones as they are. All vectors of a group stay in the
//! cache from the mismatch to u̇.

mod group;
mod inverse;
mod learn;
mod sense;
mod solve;

use super::tasks::{Task, Use};
use super::{Lane, Real};
use crate::kernels::{Call, drive, mismatch, rates, update, weight_rate};
use crate::plan::{Buf, Op, Plan, Small, StepControl};

/// The parts of a step that replace calls of the plain plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// a, δ and Wᵀδ from r̄.
    Sense,
    /// P, where it is due.
    Invert,
    /// u̇.
    Solve,
    /// W of a single trajectory.
    Learn,
}

/// What the parts read beyond [`Small`]: arguments of calls of the plain plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    pub small: &'a Small,
    pub rates: &'a rates::Args,
    pub mismatch: &'a mismatch::Args,
    pub drive: &'a drive::Args,
    pub solver: Buf,
    pub u_dot: Buf,
    pub apical: Buf,
    pub dt_ms: f64,
}

/// The tasks of a step: calls of the plain plan, of which the parts replace what is between them. `None` if the plan has not what they read.
pub(super) fn tasks<'a>(small: &'a Small, plan: &'a Plan, batch: usize) -> Option<Vec<Task<'a>>> {
    let calls = || plan.ops.iter().filter_map(Op::as_call);
    let rates = calls().find_map(|c| if let Call::Rates(a) = c { Some(a) } else { None })?;
    let mismatch = calls().find_map(|c| if let Call::Mismatch(a) = c { Some(a) } else { None })?;
    let drive = calls().find_map(|c| if let Call::Drive(a) = c { Some(a) } else { None })?;
    let finish = calls().find_map(|c| if let Call::CgFinish(a) = c { Some(a) } else { None })?;
    let integrate = calls().find_map(|c| if let Call::Integrate(a) = c { Some(a) } else { None })?;
    let (solver, u_dot) = (finish.solver, integrate.u_dot);
    let step =
        Step { small, rates, mismatch, drive, solver, u_dot, apical: small.apical, dt_ms: integrate.dt_ms };
    let mut tasks = Vec::new();
    let (mut started, mut learn) = (false, None);
    for call in calls() {
        match call {
            Call::Mismatch(_) => tasks.push(Task::Small(Part::Sense, step)),
            Call::Drive(_) => tasks.extend([Part::Invert, Part::Solve].map(|part| Task::Small(part, step))),
            Call::WeightRate(_) if in_factors(small, batch) => {}
            Call::Update(a) if in_factors(small, batch) && small.blocks.iter().any(|b| b.w == a.p) => {
                if batch == 1 {
                    learn.get_or_insert(Task::Small(Part::Learn, step));
                } else {
                    let rate = rate_of(plan, a);
                    tasks.push(rate.map_or(Task::Call(call), |rate| Task::Learn(a, rate)));
                }
            }
            Call::Rates(_)
            | Call::Observe(_)
            | Call::WeightRate(_)
            | Call::BiasRate(_)
            | Call::CgFinish(_)
            | Call::Integrate(_)
            | Call::Update(_) => tasks.push(Task::Call(call)),
            // The stimulus.
            _ if !started => tasks.push(Task::Call(call)),
            _ => {}
        }
        started |= matches!(call, Call::Rates(_));
    }
    tasks.extend(learn);
    Some(tasks)
}

/// How Ẇ comes about that moves these weights.
fn rate_of<'a>(plan: &'a Plan, update: &update::Args) -> Option<&'a weight_rate::Args> {
    plan.ops.iter().filter_map(Op::as_call).find_map(|call| match call {
        Call::WeightRate(a) if update.p_dot == Some(a.w_dot) => Some(a),
        _ => None,
    })
}

/// Batches up to which Ẇ is never formed: its products with r̄ and δ take `2·batch` multiplications a neuron.
const IN_FACTORS_UP_TO: usize = 64;

fn in_factors(small: &Small, batch: usize) -> bool {
    small.in_factors && batch <= IN_FACTORS_UP_TO
}

impl Step<'_> {
    /// As [`Task::uses`].
    pub(super) fn uses(&self, part: Part, need: &mut impl FnMut(Buf, Use)) {
        let weights = |need: &mut dyn FnMut(Buf, Use)| {
            for block in &self.small.blocks {
                need(block.w, Use::Read);
                block.w_dot.into_iter().for_each(|w| need(w, Use::Read));
            }
        };
        match part {
            Part::Sense => {
                weights(need);
                need(self.mismatch.b, Use::Read);
                [self.mismatch.delta, self.apical].into_iter().for_each(|b| need(b, Use::Write));
            }
            Part::Invert => {
                weights(need);
                // ρ' and ρ'' are written where r̄ is.
                [self.rates.r, self.apical].into_iter().for_each(|b| need(b, Use::Read));
                [self.small.inverse, self.small.age].into_iter().for_each(|b| need(b, Use::Write));
            }
            Part::Solve => {
                weights(need);
                need(self.small.inverse, Use::Read);
                [self.rates.r, self.mismatch.delta].into_iter().for_each(|b| need(b, Use::Read));
                self.drive.b_dot.into_iter().for_each(|b| need(b, Use::Read));
            }
            // Of one lane alone.
            Part::Learn => {}
        }
    }
}

/// Whole batches up to which trajectories run one by one: a group would be idle for the most part.
const SINGLE_UP_TO: usize = 2;

/// Whether P is kept and multiplied in 16 bits: by groups, where the processor can, and where it is not larger for its padding.
fn in_halves<T: Real>(whole_batch: usize, n: usize) -> bool {
    whole_batch > SINGLE_UP_TO && T::packed(n).is_some_and(|len| len <= n * n)
}

/// Scratch of the thread, and where in it so many elements begin that lie in lines of 64 bytes: groups of trajectories are one line each.
fn aligned<T: Real>(lane: &mut Lane<T>, len: usize) -> (Vec<T>, usize) {
    let room = lane.take_room(len + T::GROUP);
    let start = room.as_ptr().align_offset(64).min(T::GROUP);
    (room, start)
}

/// Runs a part, compiled for the processor that is there.
pub(super) fn run<T: Real>(part: Part, lane: &mut Lane<T>, a: &Step, step: &StepControl) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
        // SAFETY: the features are there.
        return unsafe { run_avx512(part, lane, a, step) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        return unsafe { run_avx2(part, lane, a, step) };
    }
    run_any(part, lane, a, step);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn run_avx512<T: Real>(part: Part, lane: &mut Lane<T>, a: &Step, step: &StepControl) {
    run_any(part, lane, a, step);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn run_avx2<T: Real>(part: Part, lane: &mut Lane<T>, a: &Step, step: &StepControl) {
    run_any(part, lane, a, step);
}

#[inline(always)]
fn run_any<T: Real>(part: Part, lane: &mut Lane<T>, a: &Step, step: &StepControl) {
    match part {
        Part::Invert => return inverse::refresh(lane, a, step),
        Part::Learn => return learn::run(lane, a, step),
        Part::Sense | Part::Solve => {}
    }
    let single = lane.whole_batch() <= SINGLE_UP_TO;
    let width = if single { 1 } else { T::GROUP };
    for first in (0..lane.batch()).step_by(width) {
        let rows = first..lane.batch().min(first + width);
        match (part, width) {
            (Part::Sense, 1) => sense::run::<T, 1>(lane, a, rows),
            (Part::Sense, 8) => sense::run::<T, 8>(lane, a, rows),
            (Part::Sense, _) => sense::run::<T, 16>(lane, a, rows),
            (_, 1) => solve::run::<T, 1>(lane, a, rows, step),
            (_, 8) => solve::run::<T, 8>(lane, a, rows, step),
            _ => solve::run::<T, 16>(lane, a, rows, step),
        }
    }
}
