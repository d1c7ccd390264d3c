//! CPU twin of `shaders/hold.wgsl`; the equation stands in [`crate::kernels::hold`].

use super::{Lane, Real};
use crate::kernels::hold::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.dst);
    let mut dst = s.take(a.dst);
    let active = s.get(a.active);
    for (b, _) in active.iter().enumerate().filter(|(_, active)| **active == T::ZERO) {
        dst[b * n + a.cols.start..b * n + a.cols.end()].fill(T::ZERO);
    }
    s.put(a.dst, dst);
}
