//! CPU twin of `shaders/apical_error.wgsl`; the equation stands in [`crate::kernels::apical_error`].

use super::{Lane, Real};
use crate::kernels::apical_error::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.u);
    let (mut feedback, mut apical) = (s.take(a.feedback), s.take(a.apical));
    let (u, active) = (s.get(a.u), s.get(a.active));
    for (b, &active) in active.iter().enumerate().take(s.batch()) {
        let row = b * n..(b + 1) * n;
        if active == T::ZERO {
            feedback[row.clone()].fill(T::ZERO);
            apical[row].fill(T::ZERO);
        } else {
            for (f, &u) in feedback[row.clone()].iter_mut().zip(&u[row]) {
                *f = u - *f;
            }
        }
    }
    s.put(a.feedback, feedback);
    s.put(a.apical, apical);
}
