//! CPU twin of `shaders/gradient.wgsl`; the equation stands in [`crate::kernels::gradient`].

use super::{Lane, Real};
use crate::kernels::gradient::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let (n, n_out) = (s.cols(a.u), a.outputs.len);
    let mut f = s.take(a.f);
    let (delta, d, apical) = (s.get(a.delta), s.get(a.d), s.get(a.apical));
    let (u, y) = (s.get(a.u), s.get(a.y));
    let beta = &s.get(a.beta)[step.beta_row as usize * n_out..][..n_out];
    for b in 0..s.batch() {
        let row = b * n;
        for i in row + a.cols.start..row + a.cols.end() {
            f[i] = delta[i] - d[i] * apical[i];
        }
        for (o, &beta) in beta.iter().enumerate() {
            let i = row + a.outputs.start + o;
            f[i] = if beta.finite() { f[i] - beta * (y[b * n_out + o] - u[i]) } else { T::ZERO };
        }
    }
    s.put(a.f, f);
}
