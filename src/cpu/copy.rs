//! CPU twin of `shaders/copy.wgsl`; the equation stands in [`crate::kernels::copy`].

use super::{Lane, Real};
use crate::kernels::copy::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (dst, start) = a.dst;
    let width = s.cols(dst);
    let mut out = s.take(dst);
    let from = a.src.map(|(src, first)| (s.get(src), s.cols(src), first));
    // The first rows of all trajectories; this lane has some of them.
    for row in 0..a.rows.saturating_sub(s.rows().start).min(s.batch()) {
        let to = row * width + start..row * width + start + a.len;
        match from {
            Some((src, width, first)) => {
                out[to].copy_from_slice(&src[row * width + first..row * width + first + a.len]);
            }
            None => out[to].fill(T::ZERO),
        }
    }
    s.put(dst, out);
}
