//! CPU twin of `shaders/curvature.wgsl`; the equation stands in [`crate::kernels::curvature`].

use super::{Lane, Real};
use crate::kernels::curvature::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.y);
    let mut z = s.take(a.z);
    let y = s.get(a.y);
    let bend = a.bend.map(|bend| s.get(bend));
    let beta = &s.get(a.beta)[step.beta_row as usize * a.outputs.len..][..a.outputs.len];
    for b in 0..s.batch() {
        let row = b * n;
        match bend {
            Some(bend) => {
                for i in row + a.cols.start..row + a.cols.end() {
                    z[i] = -bend[i] * y[i];
                }
            }
            None => z[row + a.cols.start..row + a.cols.end()].fill(T::ZERO),
        }
        for (o, &beta) in beta.iter().enumerate() {
            let i = row + a.outputs.start + o;
            // An output with β = ∞ is no unknown.
            z[i] = if beta.finite() { z[i] + beta * y[i] } else { T::ZERO };
        }
    }
    s.put(a.z, z);
}
