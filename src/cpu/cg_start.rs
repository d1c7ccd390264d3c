//! CPU twin of `shaders/cg_start.wgsl`; the equation stands in [`crate::kernels::cg_start`].

use super::{Lane, Real};
use crate::kernels::cg_start::{Args, Space};
use crate::kernels::solver;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.u_dot);
    let (mut p, mut res, mut book) = (s.take(a.p), s.take(a.res), s.take(a.solver));
    let (mut z, mut y) = (s.take(a.z), s.take(a.y));
    let u_dot = s.get(a.u_dot);
    let beta = &s.get(a.beta)[step.beta_row as usize * a.outputs.len..][..a.outputs.len];
    let tol2 = T::of(a.tolerance * a.tolerance);
    for (b, book) in book.chunks_exact_mut(solver::LEN).enumerate() {
        let free = b * n + a.cols.start..b * n + a.cols.end();
        let mut norm2 = T::ZERO;
        match a.space {
            Space::Full => {
                for i in free {
                    res[i] = -z[i];
                    p[i] = res[i];
                    y[i] = res[i];
                    norm2 += res[i] * res[i];
                }
                book[solver::THRESHOLD2] = tol2 * book[solver::THRESHOLD2];
            }
            Space::Output => {
                z[free].fill(T::ZERO);
                for (o, beta) in beta.iter().enumerate() {
                    let i = b * n + a.outputs.start + o;
                    let root = beta.sqrt();
                    res[i] = root * u_dot[i];
                    p[i] = res[i];
                    z[i] = root * res[i];
                    norm2 += res[i] * res[i];
                }
                book[solver::THRESHOLD2] = tol2 * norm2;
            }
        }
        book[solver::RESIDUAL2] = norm2;
    }
    s.put(a.p, p);
    s.put(a.res, res);
    s.put(a.z, z);
    s.put(a.y, y);
    s.put(a.solver, book);
}
