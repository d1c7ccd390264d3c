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
    let (jac, right) = (s.get(a.jac), s.get(a.rhs));
    let bend = a.bend.map(|bend| s.get(bend));
    let beta = &s.get(a.beta)[step.beta_row as usize * a.outputs.len..][..a.outputs.len];
    let output =
        |i: usize| (a.cols.start + i).checked_sub(a.outputs.start).and_then(|o| beta.get(o)).copied();
    for (b, book) in book.chunks_exact_mut(solver::LEN).enumerate() {
        let jac = &jac[b * a.rows * free..(b + 1) * a.rows * free];
        let (h, rhs) = room[b * free * (free + 1)..(b + 1) * free * (free + 1)].split_at_mut(free * free);
        let base = b * n + a.cols.start;
        let fill = |h: &mut [T], rhs: &mut [T]| {
            dense::gram(jac, h, (a.rows, free));
            rhs.copy_from_slice(&right[base..base + free]);
            for i in 0..free {
                let bent = bend.map_or(T::ZERO, |bend| bend[base + i]);
                match output(i) {
                    Some(beta) if !beta.finite() => dense::fix(h, rhs, i),
                    beta => h[i * free + i] += beta.unwrap_or(T::ZERO) - bent,
                }
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
