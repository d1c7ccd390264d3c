//! CPU twin of `shaders/renew.wgsl`; the equation stands in [`crate::kernels::renew`].

use super::{Lane, Real};
use crate::kernels::renew::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let mut old = s.take(a.old);
    let mut new = s.take(a.new);
    let width = s.cols(a.new);
    let (next, active) = (s.get(a.next), s.get(a.active));
    for b in (0..active.len()).filter(|&b| active[b] != T::ZERO) {
        let row = b * width..(b + 1) * width;
        old[row.clone()].copy_from_slice(&new[row.clone()]);
        new[row.clone()].copy_from_slice(&next[row]);
    }
    s.put(a.old, old);
    s.put(a.new, new);
}
