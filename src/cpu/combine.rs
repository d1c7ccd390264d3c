//! CPU twin of `shaders/combine.wgsl`; the equation stands in [`crate::kernels::combine`].

use super::{Lane, Real};
use crate::kernels::combine::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.u_dot);
    let mut u_dot = s.take(a.u_dot);
    let (v, w, g) = (s.get(a.v), s.get(a.w), s.get(a.g));
    let smooth = a.d2.map(|d2| (s.get(d2), s.get(a.apical)));
    let beta = &s.get(a.beta)[step.beta_row as usize * a.outputs.len..][..a.outputs.len];
    for b in 0..s.batch() {
        let row = b * n;
        for i in row + a.cols.start..row + a.cols.end() {
            let bent = smooth.map_or(T::ZERO, |(d2, apical)| d2[i] * apical[i]);
            u_dot[i] = v[i] + w[i] + g[i] + bent * v[i];
        }
        for (o, &beta) in beta.iter().enumerate() {
            let i = row + a.outputs.start + o;
            if beta.finite() {
                u_dot[i] -= beta * v[i];
            }
        }
    }
    s.put(a.u_dot, u_dot);
}
