//! CPU twin of `shaders/drive.wgsl`; the equation stands in [`crate::kernels::drive`].

use super::{Lane, Real};
use crate::kernels::drive::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.delta);
    let (mut c, mut g) = (s.take(a.c), s.take(a.g));
    let (delta, u) = (s.get(a.delta), s.get(a.u));
    let held = a.held.map(|u_dot| s.get(u_dot));
    let bias = a.b_dot.map(|b| s.get(b));
    let drive = a.x_dot.map(|x| (s.get(x), s.cols(x)));
    let n_out = a.outputs.len;
    let (y, y_dot) = (s.get(a.y), s.get(a.y_dot));
    let beta = &s.get(a.beta)[step.beta_row as usize * n_out..][..n_out];
    let inv_tau = T::of(1.0 / a.tau_ms);
    let cols = a.cols.range();
    for b in 0..s.batch() {
        let row = b * n;
        let range = row + cols.start..row + cols.end;
        for (c, &d) in c[range.clone()].iter_mut().zip(&delta[range.clone()]) {
            *c = -d * inv_tau;
        }
        if let Some(bias) = bias {
            for (c, &v) in c[range.clone()].iter_mut().zip(&bias[cols.clone()]) {
                *c += v;
            }
        }
        if let Some((x_dot, n_in)) = drive {
            for i in 0..n_in {
                c[row + i] += x_dot[b * n_in + i];
            }
        }
        if let Some(u_dot) = held {
            for i in row + a.clamped.start..row + a.clamped.end() {
                c[i] -= u_dot[i];
            }
        }
        g[range].fill(T::ZERO);
        for (o, &beta) in beta.iter().enumerate() {
            let (i, k) = (row + a.outputs.start + o, b * n_out + o);
            if beta.finite() {
                g[i] = beta * ((y[k] - u[i]) * inv_tau + y_dot[k]);
            }
        }
    }
    s.put(a.c, c);
    s.put(a.g, g);
}
