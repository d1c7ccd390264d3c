//! CPU twin of `shaders/resident_drive.wgsl`; the equation stands in [`crate::kernels::resident_drive`].

use super::{Lane, Real};
use crate::kernels::Base;
use crate::kernels::resident_drive::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.out);
    let mut out = s.take(a.out);
    let (old, new) = (s.get(a.v_old), s.get(a.v_new));
    let (before, now) = (T::of(1.0 - step.ramp_prev), T::of(step.ramp_prev));
    for b in 0..s.batch() {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        for ((o, &old), &new) in out[range.clone()].iter_mut().zip(&old[range.clone()]).zip(&new[range]) {
            let drive = before * old + now * new;
            *o = if a.base == Base::Zero { drive } else { *o + drive };
        }
    }
    s.put(a.out, out);
}
