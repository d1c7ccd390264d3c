//! CPU twin of `shaders/assemble.wgsl`; the equation stands in [`crate::kernels::assemble`].

use super::{Lane, Real, real};
use crate::kernels::assemble::Args;
use crate::kernels::solver;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.c);
    let (mut c, mut u_dot, mut book) = (s.take(a.c), s.take(a.u_dot), s.take(a.solver));
    let z = s.get(a.z);
    for (b, book) in book.chunks_exact_mut(solver::LEN).enumerate() {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        let (c, u_dot, z) = (&mut c[range.clone()], &mut u_dot[range.clone()], &z[range]);
        for ((c, u), &z) in c.iter_mut().zip(u_dot).zip(z) {
            *c += z;
            if !a.warm {
                *u = *c;
            }
        }
        let norm2 = real::square(c);
        book[solver::RESIDUAL2] = T::ZERO;
        book[solver::THRESHOLD2] = norm2;
        book[solver::ITERATIONS] = T::ZERO;
        book[solver::BENT] = T::ZERO;
    }
    s.put(a.c, c);
    s.put(a.u_dot, u_dot);
    s.put(a.solver, book);
}
