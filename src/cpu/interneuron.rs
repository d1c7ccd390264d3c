//! CPU twin of `shaders/interneuron.wgsl`; the equation stands in [`crate::kernels::interneuron`].

use super::{Lane, Real};
use crate::kernels::interneuron::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let m = s.cols(a.p);
    let (mut p, mut g, mut mismatch) = (s.take(a.p), s.take(a.g), s.take(a.mismatch));
    let mut out = s.take(a.out);
    let u = (a.u != a.out).then(|| s.get(a.u));
    let (bias, active) = (s.get(a.b), s.get(a.active));
    let u_dot = a.u_dot.map(|u_dot| s.get(u_dot));
    let drive = a.x.map(|x| (s.get(x), s.cols(x)));
    let (beta, keep, dt) = (T::of(a.beta), T::of(1.0 - a.beta), T::of(a.dt_ms));
    for b in 0..s.batch() {
        let on = active[b] != T::ZERO;
        for k in 0..m {
            let i = b * m + k;
            p[i] += bias[k];
            if let Some((x, n_in)) = drive
                && k < n_in
            {
                p[i] += x[b * n_in + k];
            }
            // Without nudging g is p to the last bit.
            g[i] = if beta == T::ZERO { p[i] } else { g[i] + keep * p[i] };
            out[i] = match u_dot {
                None => g[i],
                Some(u_dot) => {
                    let before = u.map_or(out[i], |u| u[i]);
                    if on { before + dt * u_dot[i] } else { before }
                }
            };
            mismatch[i] = if on { out[i] - p[i] } else { T::ZERO };
        }
    }
    s.put(a.p, p);
    s.put(a.g, g);
    s.put(a.mismatch, mismatch);
    s.put(a.out, out);
}
