//! CPU twin of `shaders/forward.wgsl`; the equation stands in [`crate::kernels::forward`].

use super::store::padded;
use super::{Lane, Real, product};
use crate::kernels::Base;
use crate::kernels::forward::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (n, batch) = (s.cols(a.out), s.batch());
    let in_place = a.gate.is_none() && a.x != a.out;
    let from = if in_place { Vec::new() } else { product::gather(s, a.x, a.gate, a.pre) };
    let mut out = s.take(a.out);
    if let Base::From(base) = a.base {
        product::copy_cols(s.get(base), &mut out, n, a.post);
    }
    let keep = if a.base == Base::Zero { T::ZERO } else { T::ONE };
    let x = if in_place {
        product::View { data: &s.get(a.x)[a.pre.start..], strides: (s.cols(a.x), 1) }
    } else {
        product::View { data: &from, strides: (a.pre.len, 1) }
    };
    let transposed = s.transposed(a.w);
    let ready = !transposed.is_empty();
    let w = if ready {
        product::View { data: transposed, strides: (padded(a.post.len), 1) }
    } else {
        product::View { data: s.get(a.w), strides: (1, a.pre.len) }
    };
    // out[batch, post] = x[batch, pre] · Wᵀ
    product::multiply(
        product::How { rows: s.whole_batch(), padded: ready, alone: s.alone() },
        (batch, a.pre.len, a.post.len),
        T::of(a.scale),
        x,
        w,
        keep,
        product::ViewMut { data: &mut out[a.post.start..], stride: n },
    );
    s.put(a.out, out);
    if !in_place {
        s.put_operand(from);
    }
}
