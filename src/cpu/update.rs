//! CPU twin of `shaders/update.wgsl`; the equation stands in [`crate::kernels::update`].

use super::{Real, Store};
use crate::kernels::update::Args;
use crate::plan::StepControl;

/// Runs the kernel.
pub fn run<T: Real>(s: &mut Store<T>, a: &Args, _: &StepControl) {
    let width = s.cols(a.p);
    let mut p = s.take(a.p);
    let rate = a.p_dot.map(|r| s.get(r));
    let dt = T::of(a.dt_ms);
    for (k, row) in p.chunks_exact_mut(width).enumerate() {
        let row = &mut row[a.cols.range()];
        if let Some(rate) = rate {
            let rate = &rate[k * width + a.cols.start..k * width + a.cols.end()];
            for (p, &rate) in row.iter_mut().zip(rate) {
                *p += dt * rate;
            }
        }
        if let Some(clip) = a.clip.map(T::of) {
            for p in row {
                if *p > clip {
                    *p = clip;
                } else if *p < -clip {
                    *p = -clip;
                }
            }
        }
    }
    s.put(a.p, p);
}
