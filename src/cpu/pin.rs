//! CPU twin of `shaders/pin.wgsl`; the equation stands in [`crate::kernels::pin`].

use super::{Lane, Real};
use crate::kernels::pin::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.dst);
    let mut dst = s.take(a.dst);
    let beta = &s.get(a.beta)[step.beta_row as usize * a.outputs.len..][..a.outputs.len];
    // A source that is `dst` itself is read through it.
    let src = a.src.map(|(buf, first)| ((buf != a.dst).then(|| s.get(buf)), s.cols(buf), first));
    let (keep, scale) = (T::of(a.keep), T::of(a.scale));
    for b in 0..s.batch() {
        for (o, _) in beta.iter().enumerate().filter(|(_, beta)| !beta.finite()) {
            let to = b * n + a.outputs.start + o;
            let from = src.map_or(T::ZERO, |(src, width, first)| {
                let at = b * width + first + o;
                scale * src.map_or(dst[at], |src| src[at])
            });
            dst[to] = if a.keep == 0.0 { from } else { keep * dst[to] + from };
        }
    }
    s.put(a.dst, dst);
}
