//! CPU twin of `shaders/guess.wgsl`; the equation stands in [`crate::kernels::guess`].

use super::lane::Taken;
use super::{Lane, Real};
use crate::kernels::guess::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.u_dot);
    let mut v = s.take(a.v);
    let mut past: Vec<Taken<T>> = a.history.iter().map(|&h| s.take(h)).collect();
    let u_dot = s.get(a.u_dot);
    let weights = a.weights.map(T::of);
    for b in 0..s.batch() {
        let row = b * n;
        let clamped = row + a.clamped.start..row + a.clamped.end();
        v[clamped.clone()].copy_from_slice(&u_dot[clamped]);
        for i in row + a.cols.start..row + a.cols.end() {
            let mut sum = weights[0] * u_dot[i];
            let mut newer = u_dot[i];
            for (past, &w) in past.iter_mut().zip(&weights[1..]) {
                sum += w * past[i];
                std::mem::swap(&mut past[i], &mut newer);
            }
            v[i] = sum;
        }
    }
    s.put(a.v, v);
    for (&h, past) in a.history.iter().zip(past) {
        s.put(h, past);
    }
}
