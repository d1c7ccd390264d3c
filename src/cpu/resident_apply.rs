//! CPU twin of `shaders/resident_apply.wgsl`; the equation stands in [`crate::kernels::resident_apply`].

use super::{Lane, Real, product};
use crate::kernels::resident_apply::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (n, n_in, batch) = (s.cols(a.a_old), s.cols(a.x_old), s.whole_batch());
    let (mut w, posts) = s.take_rows(a.w);
    for (sum, x) in [(a.a_old, a.x_old), (a.a_new, a.x_new)] {
        product::multiply(
            product::How { rows: a.post.len, padded: false, alone: s.alone() },
            (posts.len(), batch, a.pre.len),
            T::ONE,
            product::View { data: &s.whole(sum)[a.post.start + posts.start..], strides: (1, n) },
            product::View { data: &s.whole(x)[a.pre.start..], strides: (n_in, 1) },
            T::ONE,
            product::ViewMut { data: &mut w, stride: a.pre.len },
        );
    }
    s.put(a.w, w);
    s.follow(a.w, posts);
}
