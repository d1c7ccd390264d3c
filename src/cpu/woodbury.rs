//! CPU twin of `shaders/woodbury.wgsl`; the equation stands in [`crate::kernels::woodbury`].

use super::{Lane, Real, dense};
use crate::kernels::woodbury::Args;
use crate::plan::{Buf, StepControl};

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (n, n_out) = (s.cols(a.u_dot), a.outputs.len);
    let (mut u_dot, mut room) = (s.take(a.u_dot), s.take(a.k));
    let rows: Vec<&[T]> = (0..n_out).map(|o| s.get(Buf(a.first.0 + o as u16))).collect();
    for (b, room) in room.chunks_exact_mut(n_out * (n_out + 1)).enumerate() {
        let free = b * n + a.cols.start..b * n + a.cols.end();
        let dot = |x: &[T], y: &[T]| x.iter().zip(y).map(|(&x, &y)| x * y).sum::<T>();
        let (k, w) = room.split_at_mut(n_out * n_out);
        for i in 0..n_out {
            for j in 0..=i {
                let v = dot(&rows[i][free.clone()], &rows[j][free.clone()]);
                k[i * n_out + j] = if i == j { T::ONE + v } else { v };
                k[j * n_out + i] = k[i * n_out + j];
            }
            w[i] = dot(&rows[i][free.clone()], &u_dot[free.clone()]);
        }
        // 1 + m mᵀ is positive definite whatever m is.
        if dense::cholesky(k, n_out) {
            dense::cholesky_solve(k, w, n_out);
        }
        for (&w, row) in w.iter().zip(&rows) {
            for (u, &m) in u_dot[free.clone()].iter_mut().zip(&row[free.clone()]) {
                *u -= w * m;
            }
        }
    }
    s.put(a.u_dot, u_dot);
    s.put(a.k, room);
}
