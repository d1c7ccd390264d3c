//! CPU twin of `shaders/dense_solve.wgsl`; the equation stands in [`crate::kernels::dense_solve`].

use super::{Lane, Real, dense};
use crate::kernels::dense_solve::Args;
use crate::kernels::solver;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let (n, free) = (s.cols(a.u_dot), a.cols.len);
    let (mut u_dot, mut book, mut room) = (s.take(a.u_dot), s.take(a.solver), s.take(a.h));
    let (jac, c) = (s.get(a.jac), s.get(a.c));
    let smooth = a.d2.map(|d2| (s.get(d2), s.get(a.apical)));
    let beta = &s.get(a.beta)[step.beta_row as usize * a.outputs.len..][..a.outputs.len];
    for (b, book) in book.chunks_exact_mut(solver::LEN).enumerate() {
        let jac = &jac[b * free * free..(b + 1) * free * free];
        let (h, rhs) = room[b * free * (free + 1)..(b + 1) * free * (free + 1)].split_at_mut(free * free);
        let base = b * n + a.cols.start;
        let curvature = |i: usize| {
            let bent = smooth.map_or(T::ZERO, |(d2, apical)| d2[base + i] * apical[base + i]);
            let o = (a.cols.start + i).checked_sub(a.outputs.start);
            o.and_then(|o| beta.get(o)).copied().unwrap_or(T::ZERO) - bent
        };
        let fill = |h: &mut [T], rhs: &mut [T]| {
            dense::gram(jac, h, free);
            for i in 0..free {
                h[i * free + i] += curvature(i);
                rhs[i] = (0..free).map(|k| jac[k * free + i] * c[base + k]).sum();
            }
        };
        fill(h, rhs);
        if dense::cholesky(h, free) {
            if a.fallback {
                continue;
            }
            dense::cholesky_solve(h, rhs, free);
        } else {
            book[solver::BENT] = T::ONE;
            fill(h, rhs);
            dense::eliminate(h, rhs, free);
        }
        u_dot[base..base + free].copy_from_slice(rhs);
        // Solved, whatever an iteration before has left.
        book[solver::RESIDUAL2] = T::ZERO;
    }
    s.put(a.u_dot, u_dot);
    s.put(a.solver, book);
    s.put(a.h, room);
}
