//! CPU twin of `shaders/backward.wgsl`; the equation stands in [`crate::kernels::backward`].

use super::{Real, Store, product};
use crate::kernels::Base;
use crate::kernels::backward::Args;
use crate::plan::StepControl;

/// Runs the kernel.
pub fn run<T: Real>(s: &mut Store<T>, a: &Args, _: &StepControl) {
    let (n, batch) = (s.cols(a.out), s.batch());
    let from = product::gather(s, a.x, None, a.post);
    let mut out = s.take(a.out);
    if let Base::From(base) = a.base {
        product::copy_cols(s.get(base), &mut out, n, a.pre);
    }
    let keep = if a.base == Base::Zero { T::ZERO } else { T::ONE };
    let shape = (batch, a.post.len, a.pre.len);
    // out[batch, pre] = x[batch, post] · W
    match a.gate {
        None => product::multiply(
            shape,
            T::of(a.scale),
            from.view(),
            product::View { data: s.get(a.w), strides: (a.pre.len, 1) },
            keep,
            product::ViewMut { data: &mut out[a.pre.start..], stride: n },
        ),
        Some(gate) => {
            let mut room = s.take_room(batch * a.pre.len);
            product::multiply(
                shape,
                T::of(a.scale),
                from.view(),
                product::View { data: s.get(a.w), strides: (a.pre.len, 1) },
                T::ZERO,
                product::ViewMut { data: &mut room, stride: a.pre.len },
            );
            let gate = s.get(gate);
            for (b, row) in room.chunks_exact(a.pre.len).enumerate() {
                let cols = b * n + a.pre.start..b * n + a.pre.end();
                for ((o, &g), &v) in out[cols.clone()].iter_mut().zip(&gate[cols]).zip(row) {
                    *o = if a.base == Base::Zero { g * v } else { *o + g * v };
                }
            }
            s.put_room(room);
        }
    }
    s.put(a.out, out);
    from.give_back(s);
}
