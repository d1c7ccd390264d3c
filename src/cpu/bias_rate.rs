//! CPU twin of `shaders/bias_rate.wgsl`; the equation stands in [`crate::kernels::bias_rate`].

use super::update::clamp;
use super::{Lane, Real};
use crate::kernels::bias_rate::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.delta);
    let (mut b_dot, share) = s.take_cols(a.b_dot);
    let (delta, factor) = (s.whole(a.delta), s.get(a.factor));
    let cols = a.cols.start.max(share.start)..a.cols.end().min(share.end);
    if cols.is_empty() {
        return s.put(a.b_dot, b_dot);
    }
    let sums = &mut b_dot[cols.start - share.start..cols.end - share.start];
    sums.fill(T::ZERO);
    let rate = step.rate(a.rate);
    if rate != 0.0 {
        for row in delta.chunks_exact(n) {
            for (sum, &d) in sums.iter_mut().zip(&row[cols.clone()]) {
                *sum += d;
            }
        }
        let rate = T::of(rate);
        for (v, &f) in sums.iter_mut().zip(&factor[cols]) {
            *v = rate * f * *v;
        }
        if let Some(clip) = a.clip.map(T::of) {
            clamp(sums, clip);
        }
    }
    s.put(a.b_dot, b_dot);
}
