//! CPU twin of `shaders/jacobian.wgsl`; the equation stands in [`crate::kernels::jacobian`].

use super::{Lane, Real};
use crate::kernels::jacobian::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (n, free) = (s.cols(a.d), a.cols.len);
    // Diagonal elements belong to free neurons; before them may be rows of a clamped input.
    let first = (a.cols.start - a.rows.start) * free;
    let mut jac = s.take(a.jac);
    let d = s.get(a.d);
    for (b, jac) in jac.chunks_exact_mut(a.rows.len * free).enumerate() {
        let Some(w) = a.w else {
            jac.fill(T::ZERO);
            jac[first..].iter_mut().step_by(free + 1).for_each(|v| *v = T::ONE);
            continue;
        };
        let w = s.get(w);
        let gate = &d[b * n + a.pre.start..b * n + a.pre.end()];
        for i in 0..a.post.len {
            let to = (a.post.start - a.rows.start + i) * free + a.pre.start - a.cols.start;
            let row = &w[i * a.pre.len..(i + 1) * a.pre.len];
            for ((v, &w), &g) in jac[to..to + a.pre.len].iter_mut().zip(row).zip(gate) {
                *v -= w * g;
            }
        }
    }
    s.put(a.jac, jac);
}
