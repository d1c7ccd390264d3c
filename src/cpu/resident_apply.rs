//! CPU twin of `shaders/resident_apply.wgsl`; the equation stands in [`crate::kernels::resident_apply`].

use super::{Real, Store, product};
use crate::kernels::resident_apply::Args;
use crate::plan::StepControl;

/// Runs the kernel.
pub fn run<T: Real>(s: &mut Store<T>, a: &Args, _: &StepControl) {
    let (n, n_in, batch) = (s.cols(a.a_old), s.cols(a.x_old), s.batch());
    let mut w = s.take(a.w);
    for (sum, x) in [(a.a_old, a.x_old), (a.a_new, a.x_new)] {
        product::multiply(
            (a.post.len, batch, a.pre.len),
            T::ONE,
            product::View { data: &s.get(sum)[a.post.start..], strides: (1, n) },
            product::View { data: &s.get(x)[a.pre.start..], strides: (n_in, 1) },
            T::ONE,
            product::ViewMut { data: &mut w, stride: a.pre.len },
        );
    }
    s.put(a.w, w);
}
