//! CPU twin of `shaders/bicg_start.wgsl`; the equation stands in [`crate::kernels::bicg_start`].

use super::{Lane, Real, real};
use crate::kernels::bicg_start::{Args, Stage};
use crate::kernels::solver;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    match a.stage {
        Stage::Guess => guess(s, a),
        Stage::Residual => residual(s, a),
    }
}

#[inline(always)]
fn guess<T: Real>(s: &mut Lane<T>, a: &Args) {
    let n = s.cols(a.u_dot);
    let (mut u_dot, mut book) = (s.take(a.u_dot), s.take(a.solver));
    let c = s.get(a.c);
    for (b, book) in book.chunks_exact_mut(solver::LEN).enumerate() {
        let free = b * n + a.cols.start..b * n + a.cols.end();
        u_dot[free.clone()].copy_from_slice(&c[free.clone()]);
        book[solver::RESIDUAL2] = T::ZERO;
        book[solver::THRESHOLD2] = real::square(&c[free]);
        book[solver::ITERATIONS] = T::ZERO;
        book[solver::BENT] = T::ZERO;
    }
    s.put(a.u_dot, u_dot);
    s.put(a.solver, book);
}

#[inline(always)]
fn residual<T: Real>(s: &mut Lane<T>, a: &Args) {
    let n = s.cols(a.u_dot);
    let (mut res, mut shadow, mut p, mut y) = (s.take(a.res), s.take(a.shadow), s.take(a.p), s.take(a.y));
    let (mut scalars, mut book) = (s.take(a.scalars), s.take(a.solver));
    let (c, z) = (s.get(a.c), s.get(a.z));
    let tol2 = T::of(a.tolerance * a.tolerance);
    let rows = book.chunks_exact_mut(solver::LEN).zip(scalars.chunks_exact_mut(2));
    for (b, (book, scalars)) in rows.enumerate() {
        let free = b * n + a.cols.start..b * n + a.cols.end();
        for i in free.clone() {
            res[i] = c[i] - z[i];
            shadow[i] = res[i];
            p[i] = res[i];
            y[i] = res[i];
        }
        let norm2 = real::square(&res[free]);
        book[solver::RESIDUAL2] = norm2;
        book[solver::THRESHOLD2] = tol2 * book[solver::THRESHOLD2];
        scalars[0] = norm2;
        scalars[1] = T::ZERO;
    }
    s.put(a.res, res);
    s.put(a.shadow, shadow);
    s.put(a.p, p);
    s.put(a.y, y);
    s.put(a.scalars, scalars);
    s.put(a.solver, book);
}
