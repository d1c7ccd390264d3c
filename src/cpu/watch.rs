//! Time and counted work of the tasks of a lane, where a run is watched.

use std::time::Instant;

use super::small::Part;
use super::tasks::Task;
use super::{Lane, Real, dispatch, onset};
use crate::engine::{Timings, WAITING};
use crate::kernels::{Call, solver, weight_rate};
use crate::plan::small::PERIOD;
use crate::plan::{Cost, Layered, PlanId, Program, Small, StepControl};

/// What a lane books.
#[derive(Debug)]
pub(super) struct Booking<'a> {
    program: &'a Program,
    /// Of the whole batch.
    share: f64,
    timings: Timings,
}

impl<'a> Booking<'a> {
    /// For a lane of so many trajectories.
    pub(super) fn new(program: &'a Program, rows: usize) -> Self {
        let share = rows as f64 / program.batch.max(1) as f64;
        Self { program, share, timings: Timings { timed: true, ..Timings::default() } }
    }

    /// Books the time that a thread waits for the others.
    pub(super) fn waiting(&mut self, wait: impl FnOnce()) {
        let begun = Instant::now();
        wait();
        self.timings.add(WAITING, self.share, Cost::default(), begun.elapsed().as_secs_f64());
    }

    pub(super) fn finish(self) -> Timings {
        self.timings
    }

    fn add(&mut self, kernel: &str, cost: Cost, begun: Instant) {
        self.timings.add(kernel, self.share, cost, begun.elapsed().as_secs_f64());
    }
}

/// Runs a kernel.
pub(super) fn call<T: Real>(call: &Call, lane: &mut Lane<T>, step: &StepControl) {
    if lane.booking.is_none() {
        return dispatch(call, lane, step);
    }
    let begun = Instant::now();
    dispatch(call, lane, step);
    if let Some(booking) = &mut lane.booking {
        booking.add(call.name(), Cost::of(call, booking.program), begun);
    }
}

/// Runs a task that is no kernel call of the plan.
pub(super) fn task<T: Real>(task: &Task, lane: &mut Lane<T>, run: impl FnOnce(&mut Lane<T>)) {
    if lane.booking.is_none() {
        return run(lane);
    }
    let begun = Instant::now();
    run(lane);
    let taken = iterations(task, lane);
    if let Some(booking) = &mut lane.booking {
        let (name, cost) = of_task(task, booking.program, taken);
        booking.add(name, cost, begun);
    }
}

/// Books a stretch of steps as a whole, which several threads ran together.
pub(super) fn stretch<T: Real>(
    lane: &mut Lane<T>,
    plan: &Layered,
    threads: usize,
    steps: usize,
    begun: Instant,
) {
    let count = |row: &[T]| row[solver::ITERATIONS].f64();
    let most = lane.get(plan.solver).chunks_exact(solver::LEN).map(count).fold(0.0, f64::max);
    if let Some(booking) = &mut lane.booking {
        // Its plain twin has the same products, with as many iterations as the last step.
        let twin = booking.program.cost(PlanId::ResidentStep, most as usize) * steps as u64;
        let cost = Cost { calls: steps as u64, ..twin };
        booking.timings.add("layered_step", 1.0 / threads as f64, cost, begun.elapsed().as_secs_f64());
    }
}

/// Solver iterations of the whole batch, as those of the lane let expect.
fn iterations<T: Real>(task: &Task, lane: &Lane<T>) -> f64 {
    let Task::Small(Part::Solve, step) = task else { return 0.0 };
    let rows = lane.get(step.solver).chunks_exact(solver::LEN);
    let sum: f64 = rows.map(|row| row[solver::ITERATIONS].f64()).sum();
    sum * lane.whole_batch() as f64 / lane.batch().max(1) as f64
}

/// Name and cost on all trajectories.
fn of_task(task: &Task, program: &Program, iterations: f64) -> (&'static str, Cost) {
    let batch = program.batch as u64;
    match task {
        Task::RateForward(a, rate) => ("rate_forward", in_factors(rate, batch, (a.post.len, rate.pre.len))),
        Task::RateBackward(a, rate) => ("rate_backward", in_factors(rate, batch, (a.pre.len, rate.post.len))),
        Task::Learn(a, rate) => {
            let (pre, post) = (rate.pre.len as u64, rate.post.len as u64);
            let reals = 2 * program.spec(a.p).len() as u64 + batch * (pre + post);
            ("learn", Cost { calls: 1, flops: 2 * batch * pre * post, reals, bytes: 0 })
        }
        Task::Small(part, step) => small(*part, step.small, batch, iterations),
        Task::Both(a, b) => {
            let both = [a, b].map(|&a| Cost::of(&Call::Forward(a.clone()), program));
            // W passes by once.
            let weights = program.spec(a.w).len() as u64;
            let [one, other] = both;
            ("forward", Cost { reals: (one.reals + other.reals).saturating_sub(weights), ..one + other })
        }
        Task::Onset(part, plan) => onset(part, plan),
        // Their calls book themselves.
        Task::Call(_) | Task::Loop(_) => ("", Cost::default()),
    }
}

/// Passes over the resident weights, and what follows from them.
fn onset(part: &onset::Part, plan: &Layered) -> (&'static str, Cost) {
    let post = plan.layers[0].cols.len as u64;
    let cost = |pre: usize, products: u64, passes: u64| {
        let weights = post * pre as u64;
        Cost { calls: 1, flops: 2 * products * weights, reals: passes * weights + 4 * post, bytes: 0 }
    };
    match part {
        onset::Part::First(a) => ("onset", cost(a.pre.len, 3, 1)),
        onset::Part::Learn(a, _, false) => ("onset_learn", cost(a.cols.len, 1, 2)),
        onset::Part::Apply(a) => ("onset_apply", cost(a.pre.len, 2, 2)),
        _ => ("onset_follow", cost(0, 0, 0)),
    }
}

/// Overlaps of the trajectories on one side of a projection, then a product on the other.
fn in_factors(rate: &weight_rate::Args, batch: u64, (out, other): (usize, usize)) -> Cost {
    let (pre, post) = (rate.pre.len as u64, rate.post.len as u64);
    let flops = 2 * batch * batch * (out + other) as u64;
    Cost { calls: 1, flops, reals: batch * (pre + post + 2 * out as u64) + 2 * batch * batch, bytes: 0 }
}

/// The passes of a whole step: products with W once there and back, P, and what is between them.
fn small(part: Part, small: &Small, batch: u64, iterations: f64) -> (&'static str, Cost) {
    let weights: u64 = small.blocks.iter().map(|b| (b.pre.len * b.post.len) as u64).sum();
    let n = small.blocks.iter().map(|b| b.pre.end().max(b.post.end())).max().unwrap_or(0) as u64;
    let both = 4 * weights;
    let cost = |flops: u64, reals: u64| Cost { calls: 1, flops, reals, bytes: 0 };
    match part {
        Part::Sense => ("small_sense", cost(batch * both, weights + 5 * batch * n)),
        // WᵀW of all pairs of blocks with the same postsynaptic neurons, and N³ of the inverse, once in a period.
        Part::Invert => {
            let pairs = small.blocks.iter().flat_map(|one| {
                let same = small.blocks.iter().filter(|other| other.post == one.post);
                same.map(|other| 2 * (one.post.len * one.pre.len * other.pre.len) as u64)
            });
            let flops = (pairs.sum::<u64>() + n * n * n) / PERIOD as u64;
            ("small_invert", cost(flops, (weights + 3 * n * n) / PERIOD as u64))
        }
        Part::Solve => {
            let once = both + 2 * n * n;
            let flops = (iterations * once as f64) as u64 + batch * 2 * weights;
            let turns = (iterations / batch.max(1) as f64).ceil() as u64;
            let reals = turns * (weights + n * n + 10 * batch * n) + weights + 8 * batch * n;
            ("small_solve", cost(flops, reals))
        }
        Part::Learn => ("small_learn", cost(batch * 2 * weights, 2 * weights + 2 * batch * n)),
    }
}
