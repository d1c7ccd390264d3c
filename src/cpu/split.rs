//! Steps of networks with matrices beyond the caches, in batches that are too small for every thread to read these on its own.
//!
//! Threads share each product with such a matrix, which is read once for all trajectories; everything else they run on trajectories of their
//! own, and meet after each call.

use rayon::prelude::*;

use super::product::FAR;
use super::tasks::Task;
use super::{Lane, Real, watch};
use crate::kernels::{Call, solver};
use crate::plan::{Loop, Op, PlanId, Program, StepControl};

/// Whether steps multiply with matrices beyond the caches.
pub(super) fn pays(program: &Program) -> bool {
    let resident = program.plan(PlanId::ResidentStep);
    let step = if resident.ops.is_empty() { program.plan(PlanId::Step) } else { resident };
    step.ops.iter().filter_map(Op::as_call).any(far)
}

/// Whether a call is a product with such a matrix.
fn far(call: &Call) -> bool {
    match call {
        Call::Forward(a) => a.pre.len * a.post.len >= FAR,
        Call::Backward(a) => a.pre.len * a.post.len >= FAR,
        _ => false,
    }
}

/// Runs a task: on all trajectories, or on each thread's part of them.
pub(super) fn run<T: Real>(task: &Task, whole: &mut Lane<T>, parts: &mut [Lane<T>], step: &StepControl) {
    match task {
        Task::Loop(body) => iterate(body, whole, parts, step),
        Task::Call(one) => call(one, whole, parts, step),
        _ => parts.par_iter_mut().for_each(|lane| task.run(lane, step)),
    }
}

fn call<T: Real>(call: &Call, whole: &mut Lane<T>, parts: &mut [Lane<T>], step: &StepControl) {
    if far(call) {
        watch::call(call, whole, step);
    } else {
        parts.par_iter_mut().for_each(|lane| watch::call(call, lane, step));
    }
}

/// As [`super::team::iterate`], until every trajectory has converged.
fn iterate<T: Real>(body: &Loop, whole: &mut Lane<T>, parts: &mut [Lane<T>], step: &StepControl) {
    for _ in 0..body.at_most {
        let open = |row: &[T]| row[solver::RESIDUAL2] > row[solver::THRESHOLD2];
        if !whole.get(body.until).chunks_exact(solver::LEN).any(open) {
            return;
        }
        for op in &body.body {
            match op {
                Op::Call(one) => call(one, whole, parts, step),
                Op::Loop(inner) => iterate(inner, whole, parts, step),
            }
        }
    }
}
