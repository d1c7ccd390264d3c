//! CPU twin of `shaders/relax.wgsl`; the equation stands in [`crate::kernels::relax`].

use super::{Lane, Real};
use crate::kernels::relax::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.w);
    let mut w = s.take(a.w);
    let (c, v) = (s.get(a.c), s.get(a.v));
    for b in 0..s.batch() {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        for ((w, &c), &v) in w[range.clone()].iter_mut().zip(&c[range.clone()]).zip(&v[range]) {
            *w = c - v;
        }
    }
    s.put(a.w, w);
}
