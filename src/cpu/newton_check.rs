//! CPU twin of `shaders/newton_check.wgsl`; the equation stands in [`crate::kernels::newton_check`].

use super::{Lane, Real};
use crate::kernels::newton_check::{Args, STEPS, smallest};
use crate::kernels::{newton, solver};
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.u);
    let (mut g, mut best, mut rows) = (s.take(a.g), s.take(a.best), s.take(a.newton));
    let (f, target, u) = (s.get(a.f), s.get(a.target), s.get(a.u));
    for (b, row) in rows.chunks_exact_mut(solver::LEN).enumerate() {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        let g = &mut g[range.clone()];
        g.fill(T::ZERO);
        row[newton::ACCEPTED] = T::ZERO;
        if row[newton::RESIDUAL] <= row[newton::TOLERANCE] {
            continue;
        }
        row[newton::EVALUATIONS] += T::ONE;
        let (f, target) = (&f[range.clone()], &target[range.clone()]);
        let (mut worst, mut sound) = (T::ZERO, true);
        for (&f, &target) in f.iter().zip(target) {
            let size = (f - target).abs();
            sound &= size.finite();
            if size > worst {
                worst = size;
            }
        }
        if !sound && row[newton::RESIDUAL] >= T::of(newton::INFINITE) {
            best[range.clone()].copy_from_slice(f);
        }
        if sound && worst < row[newton::RESIDUAL] {
            row[newton::RESIDUAL] = worst;
            best[range.clone()].copy_from_slice(&u[range]);
            if worst <= row[newton::TOLERANCE] {
                continue;
            }
            row[newton::SCALE] = T::ONE;
            row[newton::ACCEPTED] = T::ONE;
            row[newton::STEPS] += T::ONE;
            for ((g, &f), &target) in g.iter_mut().zip(f).zip(target) {
                *g = target - f;
            }
        } else {
            row[newton::SCALE] = row[newton::SCALE] * T::of(0.5);
        }
        let ended = row[newton::STEPS] > T::of(STEPS as f64) || row[newton::SCALE] < T::of(smallest());
        if ended {
            row[newton::TOLERANCE] = T::of(newton::INFINITE);
            row[newton::ACCEPTED] = T::ZERO;
            g.fill(T::ZERO);
        }
    }
    s.put(a.g, g);
    s.put(a.best, best);
    s.put(a.newton, rows);
}
