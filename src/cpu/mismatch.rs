//! CPU twin of `shaders/mismatch.wgsl`; the equation stands in [`crate::kernels::mismatch`].

use super::{Lane, Real};
use crate::kernels::mismatch::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.u);
    let (mut basal, mut delta) = (s.take(a.a), s.take(a.delta));
    let (u, bias, active) = (s.get(a.u), s.get(a.b), s.get(a.active));
    let drive = a.x.map(|x| (s.get(x), s.cols(x)));
    let cols = a.cols.range();
    for b in 0..s.batch() {
        let row = b * n;
        let range = row + cols.start..row + cols.end;
        for (a, &bias) in basal[range.clone()].iter_mut().zip(&bias[cols.clone()]) {
            *a += bias;
        }
        if let Some((x, n_in)) = drive {
            for i in cols.start..cols.end.min(n_in) {
                basal[row + i] += x[b * n_in + i];
            }
        }
        if active[b] == T::ZERO {
            delta[range].fill(T::ZERO);
        } else {
            let both = u[range.clone()].iter().zip(&basal[range.clone()]);
            for (d, (&u, &a)) in delta[range].iter_mut().zip(both) {
                *d = u - a;
            }
        }
    }
    s.put(a.a, basal);
    s.put(a.delta, delta);
}
