//! CPU twin of `shaders/image.wgsl`; the equation stands in [`crate::kernels::image`].

use super::{Lane, Real};
use crate::kernels::image::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.out);
    let mut out = s.take(a.out);
    let (base, y, d) = (s.get(a.base), s.get(a.y), s.get(a.d));
    let t = a.t.map(|t| s.get(t));
    let bent = a.d2.map(|d2| (s.get(d2), s.get(a.apical)));
    let beta = a.beta.map(|beta| &s.get(beta)[step.beta_row as usize * a.outputs.len..][..a.outputs.len]);
    let sign = T::of(a.sign);
    for b in 0..s.batch() {
        let row = b * n;
        for i in row + a.cols.start..row + a.cols.end() {
            let curved = bent.map_or(T::ZERO, |(d2, apical)| d2[i] * apical[i] * y[i]);
            let fed = t.map_or(T::ZERO, |t| d[i] * t[i]);
            out[i] = base[i] - sign * (curved + fed);
        }
        for (o, &beta) in beta.into_iter().flatten().enumerate() {
            let i = row + a.outputs.start + o;
            out[i] += sign * beta * y[i];
        }
    }
    s.put(a.out, out);
}
