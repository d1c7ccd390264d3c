//! CPU twin of `shaders/bias_rate.wgsl`; the equation stands in [`crate::kernels::bias_rate`].

use super::{Real, Store};
use crate::kernels::bias_rate::Args;
use crate::plan::StepControl;

/// Runs the kernel.
pub fn run<T: Real>(s: &mut Store<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.delta);
    let mut b_dot = s.take(a.b_dot);
    let (delta, factor) = (s.get(a.delta), s.get(a.factor));
    let cols = a.cols.range();
    b_dot[cols.clone()].fill(T::ZERO);
    if step.rate_b != 0.0 {
        for row in delta.chunks_exact(n) {
            for (sum, &d) in b_dot[cols.clone()].iter_mut().zip(&row[cols.clone()]) {
                *sum += d;
            }
        }
        let rate = T::of(step.rate_b);
        for (v, &f) in b_dot[cols.clone()].iter_mut().zip(&factor[cols]) {
            *v = rate * f * *v;
        }
    }
    s.put(a.b_dot, b_dot);
}
