//! CPU twin of `shaders/bend.wgsl`; the equation stands in [`crate::kernels::bend`].

use super::{Lane, Real};
use crate::kernels::bend::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.d2);
    let mut d2 = s.take(a.d2);
    let apical = s.get(a.apical);
    for b in 0..s.batch() {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        d2[range.clone()].iter_mut().zip(&apical[range]).for_each(|(d2, &e)| *d2 = *d2 * e);
    }
    s.put(a.d2, d2);
}
