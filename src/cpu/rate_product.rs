//! CPU twin of `shaders/rate_product.wgsl`; the equation stands in [`crate::kernels::rate_product`].

use super::{Lane, Real};
use crate::kernels::rate_product::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let (n, batch) = (s.cols(a.out), s.whole_batch());
    let rate = T::of(step.rate_w * a.factor);
    if rate == T::ZERO {
        return;
    }
    let mut out = s.take(a.out);
    let (x, all_x, all_y) = (s.get(a.x), s.whole(a.x), s.whole(a.y));
    let (overlaps, gate) = (s.get(a.overlaps), a.gate.map(|gate| s.get(gate)));
    for b in 0..s.batch() {
        for i in a.cols.range() {
            let at = b * n + i;
            let own = if a.hollow { x[at] } else { T::ZERO };
            let term = |k: usize| (overlaps[b * batch + k] - own * all_x[k * n + i]) * all_y[k * n + i];
            let sum: T = (0..batch).map(term).sum();
            out[at] += rate * sum * gate.map_or(T::ONE, |gate| gate[at]);
        }
    }
    s.put(a.out, out);
}
