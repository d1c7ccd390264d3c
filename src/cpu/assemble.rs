//! CPU twin of `shaders/assemble.wgsl`; the equation stands in [`crate::kernels::assemble`].

use super::{Real, Store};
use crate::kernels::assemble::Args;
use crate::kernels::solver;
use crate::plan::StepControl;

/// Runs the kernel.
pub fn run<T: Real>(s: &mut Store<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.c);
    let (mut c, mut u_dot, mut book) = (s.take(a.c), s.take(a.u_dot), s.take(a.solver));
    let z = s.get(a.z);
    for (b, book) in book.chunks_exact_mut(solver::LEN).enumerate() {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        let mut norm2 = T::ZERO;
        for ((c, u), &z) in c[range.clone()].iter_mut().zip(&mut u_dot[range.clone()]).zip(&z[range]) {
            *c += z;
            *u = *c;
            norm2 += *c * *c;
        }
        book[solver::RESIDUAL2] = T::ZERO;
        book[solver::THRESHOLD2] = norm2;
        book[solver::ITERATIONS] = T::ZERO;
        book[solver::BENT] = T::ZERO;
    }
    s.put(a.c, c);
    s.put(a.u_dot, u_dot);
    s.put(a.solver, book);
}
