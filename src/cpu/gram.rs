//! CPU twin of `shaders/gram.wgsl`; the equation stands in [`crate::kernels::gram`].

use super::{Lane, Real, product};
use crate::kernels::gram::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (n, batch) = (s.cols(a.x), s.whole_batch());
    let mut out = s.take(a.out);
    product::multiply(
        product::How { rows: batch, padded: false, alone: s.alone() },
        (s.batch(), n, batch),
        T::ONE,
        product::View { data: s.get(a.x), strides: (n, 1) },
        product::View { data: s.whole(a.y), strides: (1, n) },
        T::ZERO,
        product::ViewMut { data: &mut out, stride: batch },
    );
    s.put(a.out, out);
}
