//! CPU twin of `shaders/weight_rate.wgsl`; the equation stands in [`crate::kernels::weight_rate`].

use super::{Lane, Real, product};
use crate::kernels::weight_rate::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let (n, batch) = (s.cols(a.delta), s.whole_batch());
    let r_n = s.cols(a.r);
    let (mut w_dot, posts) = s.take_rows(a.w_dot);
    let rate = step.rate(a.rate) * a.factor;
    if rate == 0.0 {
        w_dot.fill(T::ZERO);
        s.put(a.w_dot, w_dot);
        return;
    }
    // Ẇ[post, pre] = δ[batch, post]ᵀ · r[batch, pre]
    product::multiply(
        product::How { rows: a.post.len, padded: false, alone: s.alone() },
        (posts.len(), batch, a.pre.len),
        T::of(rate),
        product::View { data: &s.whole(a.delta)[a.post.start + posts.start..], strides: (1, n) },
        product::View { data: &s.whole(a.r)[a.pre.start..], strides: (r_n, 1) },
        T::ZERO,
        product::ViewMut { data: &mut w_dot, stride: a.pre.len },
    );
    if let Some(clip) = a.clip.map(T::of) {
        for v in &mut *w_dot {
            // Written so that a NaN stays one.
            if *v > clip {
                *v = clip;
            } else if *v < -clip {
                *v = -clip;
            }
        }
    }
    if a.hollow {
        for (i, post) in posts.enumerate() {
            w_dot[i * a.pre.len + post] = T::ZERO;
        }
    }
    s.put(a.w_dot, w_dot);
}
