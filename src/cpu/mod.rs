//! The CPU executor: every kernel in Rust, generic over `f32` and `f64`.
//!
//! In `f64` it is the oracle of the GPU, in `f32` the device of a machine without one. `team` runs a plan on all cores, `tasks` says
//! what its calls need of each other, `tile` has the products; each kernel is compiled for several instruction sets.

pub mod apical_error;
pub mod assemble;
pub mod backward;
pub mod bend;
pub mod bias_rate;
pub mod bicg_start;
pub mod bicg_step;
pub mod blend;
pub mod cg_finish;
pub mod cg_start;
pub mod cg_step;
pub mod combine;
pub mod copy;
pub mod couple;
pub mod curvature;
pub mod decode;
pub mod dense;
pub mod dense_solve;
pub mod drive;
mod exponential;
mod factored;
pub mod forward;
pub mod gradient;
pub mod gram;
mod group;
pub mod guess;
mod half;
pub mod hold;
pub mod image;
pub mod integrate;
pub mod interneuron;
pub mod interneuron_drive;
pub mod jacobian;
pub mod lane;
mod layered;
pub mod learn;
pub mod mismatch;
pub mod newton_book;
pub mod newton_check;
pub mod newton_move;
pub mod observe;
mod onset;
mod outer;
pub mod overlap;
mod panel;
pub mod pin;
pub mod product;
pub mod rate_product;
pub mod rates;
pub mod real;
pub mod relax;
pub mod renew;
pub mod resident_apply;
pub mod resident_drive;
pub mod resident_learn;
mod rows;
mod short;
pub mod slice;
mod small;
mod split;
pub mod status;
pub mod stimulus;
pub mod store;
mod sums;
mod sweep;
mod tasks;
mod team;
mod tile;
mod transpose;
mod turned;
pub mod unit;
pub mod update;
mod vector;
mod watch;
pub mod weight_rate;
mod wide;
pub mod woodbury;

pub use lane::Lane;
pub use real::Real;
pub use store::Store;
pub use team::run;

use crate::kernels::Call;
use crate::plan::StepControl;

/// Whether this processor multiplies tiles of bfloat16 (AMX), and the system lets this process do so: see
/// [`crate::dynamics::LearningProducts`].
#[must_use]
pub fn has_tiles() -> bool {
    <f32 as short::Short>::ready()
}

/// Runs one kernel, compiled for the processor that is there.
pub fn dispatch<T: Real>(call: &Call, s: &mut Lane<T>, step: &StepControl) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
        // SAFETY: the features are there.
        return unsafe { dispatch_avx512(call, s, step) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        return unsafe { dispatch_avx2(call, s, step) };
    }
    dispatch_any(call, s, step);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn dispatch_avx512<T: Real>(call: &Call, s: &mut Lane<T>, step: &StepControl) {
    dispatch_any(call, s, step);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn dispatch_avx2<T: Real>(call: &Call, s: &mut Lane<T>, step: &StepControl) {
    dispatch_any(call, s, step);
}

/// Inlined, and all kernels with it: loops are compiled with the features of the caller.
#[inline(always)]
fn dispatch_any<T: Real>(call: &Call, s: &mut Lane<T>, step: &StepControl) {
    match call {
        Call::Assemble(a) => assemble::run(s, a, step),
        Call::Backward(a) => backward::run(s, a, step),
        Call::BiasRate(a) => bias_rate::run(s, a, step),
        Call::Blend(a) => blend::run(s, a, step),
        Call::CgFinish(a) => cg_finish::run(s, a, step),
        Call::CgStart(a) => cg_start::run(s, a, step),
        Call::CgStep(a) => cg_step::run(s, a, step),
        Call::Combine(a) => combine::run(s, a, step),
        Call::Copy(a) => copy::run(s, a, step),
        Call::Bend(a) => bend::run(s, a, step),
        Call::Curvature(a) => curvature::run(s, a, step),
        Call::Decode(a) => decode::run(s, a, step),
        Call::DenseSolve(a) => dense_solve::run(s, a, step),
        Call::Drive(a) => drive::run(s, a, step),
        Call::Forward(a) => forward::run(s, a, step),
        Call::Gradient(a) => gradient::run(s, a, step),
        Call::Gram(a) => gram::run(s, a, step),
        Call::Learn(a) => learn::run(s, a, step),
        Call::Overlap(a) => overlap::run(s, a, step),
        Call::RateProduct(a) => rate_product::run(s, a, step),
        Call::ResidentApply(a) => resident_apply::run(s, a, step),
        Call::ResidentDrive(a) => resident_drive::run(s, a, step),
        Call::ResidentLearn(a) => resident_learn::run(s, a, step),
        Call::Hold(a) => hold::run(s, a, step),
        Call::Guess(a) => guess::run(s, a, step),
        Call::Integrate(a) => integrate::run(s, a, step),
        Call::Jacobian(a) => jacobian::run(s, a, step),
        Call::Mismatch(a) => mismatch::run(s, a, step),
        Call::NewtonBook(a) => newton_book::run(s, a, step),
        Call::NewtonCheck(a) => newton_check::run(s, a, step),
        Call::NewtonMove(a) => newton_move::run(s, a, step),
        Call::Observe(a) => observe::run(s, a, step),
        Call::Pin(a) => pin::run(s, a, step),
        Call::Rates(a) => rates::run(s, a, step),
        Call::Relax(a) => relax::run(s, a, step),
        Call::Renew(a) => renew::run(s, a, step),
        Call::Slice(a) => slice::run(s, a, step),
        Call::Stimulus(a) => stimulus::run(s, a, step),
        Call::Unit(a) => unit::run(s, a, step),
        Call::Update(a) => update::run(s, a, step),
        Call::WeightRate(a) => weight_rate::run(s, a, step),
        Call::Woodbury(a) => woodbury::run(s, a, step),
        Call::ApicalError(a) => apical_error::run(s, a, step),
        Call::BicgStart(a) => bicg_start::run(s, a, step),
        Call::BicgStep(a) => bicg_step::run(s, a, step),
        Call::Couple(a) => couple::run(s, a, step),
        Call::Image(a) => image::run(s, a, step),
        Call::Interneuron(a) => interneuron::run(s, a, step),
        Call::InterneuronDrive(a) => interneuron_drive::run(s, a, step),
    }
}
