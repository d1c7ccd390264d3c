//! CPU twin of `shaders/update.wgsl`; the equation stands in [`crate::kernels::update`].

use super::{Lane, Real};
use crate::kernels::update::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let width = s.cols(a.p);
    let single = s.is_row(a.p);
    let (mut p, share) = if single { s.take_cols(a.p) } else { s.take_rows(a.p) };
    let rate = a.p_dot.map(|r| s.get(r));
    let (dt, clip) = (T::of(a.dt_ms), a.clip.map(T::of));
    let (rows, cols) = if single {
        (0..1, a.cols.start.max(share.start)..a.cols.end().min(share.end))
    } else {
        (share.clone(), a.cols.range())
    };
    let first = if single { share.start } else { share.start * width };
    for k in rows.filter(|_| !cols.is_empty()) {
        let range = k * width + cols.start..k * width + cols.end;
        let row = &mut p[range.start - first..range.end - first];
        if let Some(rate) = rate {
            for (p, &rate) in row.iter_mut().zip(&rate[range]) {
                *p += dt * rate;
            }
        }
        if let Some(clip) = clip {
            clamp(row, clip);
        }
    }
    s.put(a.p, p);
    if !single {
        s.follow(a.p, share);
    }
}

/// Clips to ±`clip`; written so that a NaN stays one, and without branches.
#[inline(always)]
pub(super) fn clamp<T: Real>(row: &mut [T], clip: T) {
    for p in row {
        let below = if *p > clip { clip } else { *p };
        *p = if below < -clip { -clip } else { below };
    }
}
