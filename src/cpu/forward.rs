//! CPU twin of `shaders/forward.wgsl`; the equation stands in [`crate::kernels::forward`].

use super::store::padded;
use super::{Lane, Real, product, rows};
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

/// Whether two products follow each other with the same weights, each from a population as it is into an output of its own.
pub(super) fn joins(a: &Args, b: &Args) -> bool {
    let plain = |a: &Args| a.gate.is_none() && a.base == Base::Zero && a.x != a.out;
    plain(a) && plain(b) && (a.w, a.pre, a.post) == (b.w, b.pre, b.post) && a.out != b.out && b.x != a.out
}

/// Both products of a single trajectory, some rows of W at a time.
pub(super) fn both<T: Real>(s: &mut Lane<T>, a: &Args, b: &Args) {
    let w = s.get(a.w);
    let [x, y] = [a, b].map(|a| &s.get(a.x)[a.pre.range()]);
    let [mut first, mut second] = [a, b].map(|a| s.take(a.out));
    assert!(w.len() >= a.post.len * a.pre.len, "a row for each result");
    let mut i = 0;
    while i < a.post.len {
        let count = rows::next(a.post.len - i);
        let row = w[i * a.pre.len..].as_ptr();
        for (x, scale, out) in [(x, a.scale, &mut first), (y, b.scale, &mut second)] {
            // SAFETY: W has these rows, each as long as x.
            let sums = unsafe { T::dots(row, a.pre.len, count, a.pre.len, x.as_ptr()) };
            for (out, &sum) in out[a.post.start + i..][..count].iter_mut().zip(&sums) {
                *out = T::of(scale) * sum;
            }
        }
        i += count;
    }
    s.put(a.out, first);
    s.put(b.out, second);
}
