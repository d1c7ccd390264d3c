//! CPU twin of `shaders/forward.wgsl`; the equation stands in [`crate::kernels::forward`].

use super::{Real, Store, product};
use crate::kernels::Base;
use crate::kernels::forward::Args;
use crate::plan::StepControl;

/// Runs the kernel.
pub fn run<T: Real>(s: &mut Store<T>, a: &Args, _: &StepControl) {
    let (n, batch) = (s.cols(a.out), s.batch());
    let from = product::gather(s, a.x, a.gate, a.pre);
    let mut out = s.take(a.out);
    if let Base::From(base) = a.base {
        product::copy_cols(s.get(base), &mut out, n, a.post);
    }
    let keep = if a.base == Base::Zero { T::ZERO } else { T::ONE };
    // out[batch, post] = x[batch, pre] · Wᵀ
    product::multiply(
        (batch, a.pre.len, a.post.len),
        T::of(a.scale),
        from.view(),
        product::View { data: s.get(a.w), strides: (1, a.pre.len) },
        keep,
        product::ViewMut { data: &mut out[a.post.start..], stride: n },
    );
    s.put(a.out, out);
    from.give_back(s);
}
