//! CPU twin of `shaders/couple.wgsl`; the equation stands in [`crate::kernels::couple`].

use super::{Lane, Real};
use crate::kernels::couple::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.c);
    let mut c = s.take(a.c);
    let (g, d, apical, q) = (s.get(a.g), s.get(a.d), s.get(a.apical), s.get(a.q));
    let inv_tau = T::of(1.0 / a.tau_ms);
    for b in 0..s.batch() {
        for i in b * n + a.cols.start..b * n + a.cols.end() {
            c[i] = c[i] + g[i] + d[i] * (apical[i] * inv_tau + q[i]);
        }
    }
    s.put(a.c, c);
}
