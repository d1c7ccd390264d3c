//! CPU twin of `shaders/interneuron_drive.wgsl`; the equation stands in [`crate::kernels::interneuron_drive`].

use super::{Lane, Real};
use crate::kernels::interneuron_drive::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let count = s.cols(a.m);
    let mut m = s.take(a.m);
    let (g, u) = (s.get(a.g), s.get(a.u));
    let bias = a.b_dot.map(|b| s.get(b));
    let drive = a.x_dot.map(|x| (s.get(x), s.cols(x)));
    let (keep, inv_tau) = (T::of(1.0 - a.beta), T::of(1.0 / a.tau_ms));
    for b in 0..s.batch() {
        for k in 0..count {
            let i = b * count + k;
            let mut moved = bias.map_or(T::ZERO, |bias| bias[k]);
            if let Some((x_dot, n_in)) = drive
                && k < n_in
            {
                moved += x_dot[b * n_in + k];
            }
            m[i] = (g[i] - u[i]) * inv_tau + keep * moved;
        }
    }
    s.put(a.m, m);
}
