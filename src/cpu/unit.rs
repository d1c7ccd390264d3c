//! CPU twin of `shaders/unit.wgsl`; the equation stands in [`crate::kernels::unit`].

use super::{Lane, Real};
use crate::kernels::unit::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.m);
    let mut m = s.take(a.m);
    let root = s.get(a.beta)[step.beta_row as usize * a.outputs.len + a.output].sqrt();
    for row in m.chunks_exact_mut(n) {
        row[a.cols.range()].fill(T::ZERO);
        row[a.outputs.start + a.output] = root;
    }
    s.put(a.m, m);
}
