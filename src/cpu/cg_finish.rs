//! CPU twin of `shaders/cg_finish.wgsl`; the equation stands in [`crate::kernels::cg_finish`].

use super::{Lane, Real};
use crate::kernels::cg_finish::Args;
use crate::kernels::solver;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let mut book = s.take(a.solver);
    let active = s.get(a.active);
    for (book, &active) in book.chunks_exact_mut(solver::LEN).zip(active) {
        if active == T::ZERO {
            continue;
        }
        let count = book[solver::ITERATIONS];
        book[solver::TOTAL] += count;
        book[solver::INDEFINITE] += book[solver::BENT];
        if count > book[solver::MOST] {
            book[solver::MOST] = count;
        }
        let (norm2, threshold2) = (book[solver::RESIDUAL2], book[solver::THRESHOLD2]);
        // Also true where a NaN makes the comparison false.
        let converged = norm2 <= threshold2;
        if !converged {
            book[solver::UNCONVERGED] += T::ONE;
        }
        if norm2 > T::ZERO && threshold2 > T::ZERO {
            let relative = (norm2 / threshold2).sqrt() * T::of(a.tolerance);
            if relative > book[solver::RESIDUAL] {
                book[solver::RESIDUAL] = relative;
            }
        }
    }
    s.put(a.solver, book);
}
