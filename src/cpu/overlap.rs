//! CPU twin of `shaders/overlap.wgsl`; the equation stands in [`crate::kernels::overlap`].

use super::{Lane, Real};
use crate::kernels::overlap::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (n, batch) = (s.cols(a.x), s.whole_batch());
    let mut out = s.take(a.out);
    for (out, mine) in out.chunks_exact_mut(batch).zip(s.get(a.x).chunks_exact(n)) {
        for (out, other) in out.iter_mut().zip(s.whole(a.x).chunks_exact(n)) {
            *out = mine[a.cols.range()].iter().zip(&other[a.cols.range()]).map(|(&x, &y)| x * y).sum();
        }
    }
    s.put(a.out, out);
}
