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
        let out =
            (&mut r[range.clone()], &mut d[range.clone()], d2.get_mut(range.clone()).unwrap_or_default());
        let u = &u[range];
        // A known activation in each loop lets it be vectorised.
        match a.activation {
            Activation::Sigmoid => eval(Activation::Sigmoid, u, out),
            Activation::HardSigmoid => eval(Activation::HardSigmoid, u, out),
            Activation::Relu => eval(Activation::Relu, u, out),
            other => eval(other, u, out),
        }
    }
    s.put(a.r, r);
    s.put(a.d, d);
    if let Some(b) = a.d2 {
        s.put(b, d2);
    }
}

/// ρ and ρ' of some voltages, and ρ'' where there is room for it.
#[inline(always)]
fn eval<T: Real>(rho: Activation, u: &[T], (r, d, d2): (&mut [T], &mut [T], &mut [T])) {
    // Loops and not `for_each`: its closures are compiled without the features of the caller where they are not inlined.
    if d2.is_empty() {
        for ((r, d), &u) in r.iter_mut().zip(d).zip(u) {
            (*r, *d, _) = rho.eval(u);
        }
    } else {
        for (((r, d), &u), d2) in r.iter_mut().zip(d).zip(u).zip(d2) {
            (*r, *d, *d2) = rho.eval(u);
        }
    }
}
