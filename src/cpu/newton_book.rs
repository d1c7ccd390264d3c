//! CPU twin of `shaders/newton_book.wgsl`; the equation stands in [`crate::kernels::newton_book`].

use super::{Lane, Real};
use crate::kernels::newton_book::{Args, Stage};
use crate::kernels::{newton, solver};
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (mut rows, mut books) = (s.take(a.newton), s.take(a.solver));
    let active = s.get(a.active);
    let tolerance = T::of(a.tolerance);
    let both = rows.chunks_exact_mut(solver::LEN).zip(books.chunks_exact_mut(solver::LEN));
    for ((row, book), &active) in both.zip(active) {
        match a.stage {
            Stage::Open => {
                row.fill(T::ZERO);
                row[newton::TOLERANCE] = tolerance;
                row[newton::SCALE] = T::ONE;
                if active != T::ZERO {
                    row[newton::RESIDUAL] = T::of(newton::INFINITE);
                }
            }
            Stage::Close if active != T::ZERO => {
                let residual = row[newton::RESIDUAL];
                // Also true where a NaN makes the comparison false.
                let converged = residual <= tolerance;
                if !converged {
                    book[solver::UNCONVERGED] += T::ONE;
                }
                if residual > book[solver::RESIDUAL] {
                    book[solver::RESIDUAL] = residual;
                }
                if row[newton::EVALUATIONS] > book[solver::MOST] {
                    book[solver::MOST] = row[newton::EVALUATIONS];
                }
            }
            Stage::Close => {}
        }
    }
    s.put(a.newton, rows);
    s.put(a.solver, books);
}
