//! CPU twin of `shaders/newton_move.wgsl`; the equation stands in [`crate::kernels::newton_move`].

use super::{Lane, Real};
use crate::kernels::newton_move::Args;
use crate::kernels::{newton, solver};
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.u);
    let (mut direction, mut u, mut books) = (s.take(a.direction), s.take(a.u), s.take(a.solver));
    let (u_dot, best, rows) = (s.get(a.u_dot), s.get(a.best), s.get(a.newton));
    for (b, row) in rows.chunks_exact(solver::LEN).enumerate() {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        if row[newton::ACCEPTED] != T::ZERO {
            direction[range.clone()].copy_from_slice(&u_dot[range.clone()]);
            let book = &mut books[b * solver::LEN..(b + 1) * solver::LEN];
            let count = book[solver::ITERATIONS];
            book[solver::TOTAL] += count;
            if count > book[solver::MOST] {
                book[solver::MOST] = count;
            }
        }
        let open = row[newton::RESIDUAL] > row[newton::TOLERANCE];
        let scale = row[newton::SCALE];
        for i in range {
            u[i] = if open { best[i] + scale * direction[i] } else { best[i] };
        }
    }
    s.put(a.direction, direction);
    s.put(a.u, u);
    s.put(a.solver, books);
}
