//! CPU twin of `shaders/cg_step.wgsl`; the equation stands in [`crate::kernels::cg_step`].

use super::{Lane, Real};
use crate::kernels::cg_start::Space;
use crate::kernels::cg_step::Args;
use crate::kernels::solver;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.u_dot);
    let (mut p, mut res, mut book) = (s.take(a.p), s.take(a.res), s.take(a.solver));
    let (mut z, mut y, mut u_dot) = (s.take(a.z), s.take(a.y), s.take(a.u_dot));
    let beta = &s.get(a.beta)[step.beta_row as usize * a.outputs.len..][..a.outputs.len];
    for (b, book) in book.chunks_exact_mut(solver::LEN).enumerate() {
        let norm2 = book[solver::RESIDUAL2];
        if norm2 <= book[solver::THRESHOLD2] {
            continue;
        }
        let free = b * n + a.cols.start..b * n + a.cols.end();
        let span = match a.space {
            Space::Full => free.clone(),
            Space::Output => b * n + a.outputs.start..b * n + a.outputs.end(),
        };
        // z ← q = p + h on the span of the iteration; u̇ has its update first, from the z that it needs.
        let h = |o: usize, z: T| if a.space == Space::Full { z } else { beta[o].sqrt() * z };
        let mut pq = T::ZERO;
        for (o, i) in span.clone().enumerate() {
            pq += p[i] * (p[i] + h(o, z[i]));
        }
        book[solver::ITERATIONS] += T::ONE;
        if pq <= T::ZERO {
            book[solver::BENT] = T::ONE;
        }
        let alpha = if pq == T::ZERO { T::ZERO } else { norm2 / pq };
        match a.space {
            Space::Full => free.clone().for_each(|i| u_dot[i] += alpha * y[i]),
            Space::Output => free.clone().for_each(|i| u_dot[i] -= alpha * z[i]),
        }
        let mut next2 = T::ZERO;
        for (o, i) in span.clone().enumerate() {
            res[i] -= alpha * (p[i] + h(o, z[i]));
            next2 += res[i] * res[i];
        }
        let gain = next2 / norm2;
        if a.space == Space::Output {
            z[free].fill(T::ZERO);
        }
        for (o, i) in span.enumerate() {
            p[i] = res[i] + gain * p[i];
            match a.space {
                Space::Full => y[i] = p[i],
                Space::Output => z[i] = beta[o].sqrt() * p[i],
            }
        }
        book[solver::RESIDUAL2] = next2;
    }
    s.put(a.p, p);
    s.put(a.res, res);
    s.put(a.z, z);
    s.put(a.y, y);
    s.put(a.u_dot, u_dot);
    s.put(a.solver, book);
}
