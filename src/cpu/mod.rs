//! The CPU executor: every kernel in plain Rust, generic over `f32` and `f64`, run in the order of the plan.
//!
//! In `f64` it is the oracle of the GPU, in `f32`, with matrix products from a library on all cores, the device of a
//! machine without one.

pub mod assemble;
pub mod backward;
pub mod bias_rate;
pub mod cg_finish;
pub mod cg_start;
pub mod cg_step;
pub mod combine;
pub mod copy;
pub mod curvature;
pub mod decode;
pub mod dense;
pub mod dense_solve;
pub mod drive;
pub mod forward;
pub mod gram;
pub mod guess;
pub mod integrate;
pub mod jacobian;
pub mod mismatch;
pub mod observe;
pub mod product;
pub mod rates;
pub mod real;
pub mod relax;
pub mod resident_apply;
pub mod resident_drive;
pub mod resident_learn;
mod skinny;
pub mod status;
pub mod stimulus;
pub mod store;
pub mod unit;
pub mod update;
pub mod weight_rate;
pub mod woodbury;

pub use real::Real;
pub use store::Store;

use crate::kernels::{Call, solver};
use crate::plan::{Loop, Op, Plan, StepControl};

/// Runs a plan once with the given control values.
pub fn run<T: Real>(plan: &Plan, store: &mut Store<T>, step: &StepControl) {
    run_ops(&plan.ops, store, step);
}

fn run_ops<T: Real>(ops: &[Op], store: &mut Store<T>, step: &StepControl) {
    for op in ops {
        match op {
            Op::Call(call) => dispatch(call, store, step),
            Op::Loop(body) => iterate(body, store, step),
        }
    }
}

/// Runs a loop until every trajectory has converged.
fn iterate<T: Real>(body: &Loop, store: &mut Store<T>, step: &StepControl) {
    for _ in 0..body.at_most {
        let book = store.get(body.until);
        let open = |row: &[T]| row[solver::RESIDUAL2] > row[solver::THRESHOLD2];
        if !book.chunks_exact(solver::LEN).any(open) {
            return;
        }
        run_ops(&body.body, store, step);
    }
}

/// Runs one kernel.
pub fn dispatch<T: Real>(call: &Call, s: &mut Store<T>, step: &StepControl) {
    match call {
        Call::Assemble(a) => assemble::run(s, a, step),
        Call::Backward(a) => backward::run(s, a, step),
        Call::BiasRate(a) => bias_rate::run(s, a, step),
        Call::CgFinish(a) => cg_finish::run(s, a, step),
        Call::CgStart(a) => cg_start::run(s, a, step),
        Call::CgStep(a) => cg_step::run(s, a, step),
        Call::Combine(a) => combine::run(s, a, step),
        Call::Copy(a) => copy::run(s, a, step),
        Call::Curvature(a) => curvature::run(s, a, step),
        Call::Decode(a) => decode::run(s, a, step),
        Call::DenseSolve(a) => dense_solve::run(s, a, step),
        Call::Drive(a) => drive::run(s, a, step),
        Call::Forward(a) => forward::run(s, a, step),
        Call::Gram(a) => gram::run(s, a, step),
        Call::ResidentApply(a) => resident_apply::run(s, a, step),
        Call::ResidentDrive(a) => resident_drive::run(s, a, step),
        Call::ResidentLearn(a) => resident_learn::run(s, a, step),
        Call::Guess(a) => guess::run(s, a, step),
        Call::Integrate(a) => integrate::run(s, a, step),
        Call::Jacobian(a) => jacobian::run(s, a, step),
        Call::Mismatch(a) => mismatch::run(s, a, step),
        Call::Observe(a) => observe::run(s, a, step),
        Call::Rates(a) => rates::run(s, a, step),
        Call::Relax(a) => relax::run(s, a, step),
        Call::Stimulus(a) => stimulus::run(s, a, step),
        Call::Unit(a) => unit::run(s, a, step),
        Call::Update(a) => update::run(s, a, step),
        Call::WeightRate(a) => weight_rate::run(s, a, step),
        Call::Woodbury(a) => woodbury::run(s, a, step),
    }
}
