//! CPU twin of `shaders/rates.wgsl`; the equation stands in [`crate::kernels::rates`].

use super::{Lane, Real};
use crate::kernels::rates::Args;
use crate::network::Activation;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.u);
    let (mut r, mut d) = (s.take(a.r), s.take(a.d));
    let mut d2 = a.d2.map(|b| s.take(b)).unwrap_or_default();
    let u = s.get(a.u);
    let identity = a.identity.clamp(a.cols.start, a.cols.end());
    for b in 0..s.batch() {
        let row = b * n;
        for i in (row + a.cols.start)..(row + identity) {
            (r[i], d[i]) = (u[i], T::ONE);
            if let Some(d2) = d2.get_mut(i) {
                *d2 = T::ZERO;
            }
        }
        let range = row + identity..row + a.cols.end();
        let out = r[range.clone()].iter_mut().zip(&mut d[range.clone()]).zip(&u[range.clone()]);
        if d2.is_empty() {
            // A known activation in each loop lets it be vectorised.
            match a.activation {
                Activation::HardSigmoid => {
                    out.for_each(|((r, d), &u)| (*r, *d, _) = Activation::HardSigmoid.eval(u));
                }
                Activation::Relu => out.for_each(|((r, d), &u)| (*r, *d, _) = Activation::Relu.eval(u)),
                other => out.for_each(|((r, d), &u)| (*r, *d, _) = other.eval(u)),
            }
        } else {
            for (((r, d), &u), d2) in out.zip(&mut d2[range]) {
                (*r, *d, *d2) = a.activation.eval(u);
            }
        }
    }
    s.put(a.r, r);
    s.put(a.d, d);
    if let Some(b) = a.d2 {
        s.put(b, d2);
    }
}
