//! CPU twin of `shaders/backward.wgsl`; the equation stands in [`crate::kernels::backward`].

use super::{Lane, Real, product};
use crate::kernels::Base;
use crate::kernels::backward::Args;
use crate::plan::{Cols, StepControl};

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (n, batch) = (s.cols(a.out), s.batch());
    let in_place = a.x != a.out;
    let from = if in_place { Vec::new() } else { product::gather(s, a.x, None, a.post) };
    let mut out = s.take(a.out);
    if let Base::From(base) = a.base {
        product::copy_cols(s.get(base), &mut out, n, a.pre);
    }
    let keep = if a.base == Base::Zero { T::ZERO } else { T::ONE };
    let how = product::How { rows: s.whole_batch(), padded: false, alone: s.alone() };
    let shape = (batch, a.post.len, a.pre.len);
    let x = if in_place {
        product::View { data: &s.get(a.x)[a.post.start..], strides: (s.cols(a.x), 1) }
    } else {
        product::View { data: &from, strides: (a.post.len, 1) }
    };
    let w = product::View { data: s.get(a.w), strides: (a.pre.len, 1) };
    let scale = T::of(a.scale);
    // out[batch, pre] = x[batch, post] · W
    match a.gate {
        None => {
            let to = product::ViewMut { data: &mut out[a.pre.start..], stride: n };
            product::multiply(how, shape, scale, x, w, keep, to);
        }
        Some(gate) => {
            let mut room = s.take_room(batch * a.pre.len);
            let to = product::ViewMut { data: &mut room, stride: a.pre.len };
            product::multiply(how, shape, scale, x, w, T::ZERO, to);
            if a.base == Base::Zero {
                out.chunks_exact_mut(n).for_each(|row| row[a.pre.range()].fill(T::ZERO));
            }
            add_gated(&mut out, &room, Some(s.get(gate)), (n, batch), a.pre);
            s.put_room(room);
        }
    }
    s.put(a.out, out);
    if !in_place {
        s.put_operand(from);
    }
}

/// `out += gate ⊙ room` on some columns; `out` and `gate` have rows of n elements, `room` of the columns alone.
#[inline(always)]
pub(super) fn add_gated<T: Real>(
    out: &mut [T],
    room: &[T],
    gate: Option<&[T]>,
    (n, batch): (usize, usize),
    cols: Cols,
) {
    for (b, row) in room.chunks_exact(cols.len.max(1)).take(batch).enumerate() {
        let at = b * n + cols.start..b * n + cols.end();
        let out = &mut out[at.clone()];
        match gate {
            Some(gate) => out.iter_mut().zip(&gate[at]).zip(row).for_each(|((o, &g), &v)| *o += g * v),
            None => out.iter_mut().zip(row).for_each(|(o, &v)| *o += v),
        }
    }
}
