//! CPU twin of `shaders/blend.wgsl`; the equation stands in [`crate::kernels::blend`].

use super::{Lane, Real};
use crate::kernels::blend::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.out);
    let mut out = s.take(a.out);
    // What `out` held is read before it is overwritten: its own terms become a factor.
    let mut own = None;
    let mut others = [None; 3];
    for (slot, (k, buf)) in others.iter_mut().zip(a.terms.iter().flatten()) {
        if *buf == a.out {
            own = Some(own.unwrap_or(T::ZERO) + T::of(*k));
        } else {
            *slot = Some((T::of(*k), s.get(*buf)));
        }
    }
    for b in 0..s.batch() {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        let out = &mut out[range.clone()];
        match own {
            Some(own) => out.iter_mut().for_each(|v| *v = *v * own),
            None => out.fill(T::ZERO),
        }
        for (k, x) in others.iter().flatten() {
            for (v, &x) in out.iter_mut().zip(&x[range.clone()]) {
                *v += *k * x;
            }
        }
    }
    s.put(a.out, out);
}
