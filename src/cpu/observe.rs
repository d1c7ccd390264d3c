//! CPU twin of `shaders/observe.wgsl`; the equation stands in [`crate::kernels::observe`].

use super::{Lane, Real};
use crate::kernels::observe::Args;
use crate::kernels::record;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let (n, n_out) = (s.cols(a.u), a.outputs.len);
    let mut rows = s.take(a.record);
    let (u, d, basal) = (s.get(a.u), s.get(a.d), s.get(a.a));
    let (delta, apical, y) = (s.get(a.delta), s.get(a.apical), s.get(a.y));
    let beta = &s.get(a.beta)[step.beta_row as usize * n_out..][..n_out];
    let half = T::of(0.5);
    let flat = T::of(0.05 * a.steepest);
    for (b, row) in rows.chunks_exact_mut(record::LEN).enumerate() {
        let (base, out) = (b * n, b * n + a.outputs.start);
        let (mut cost, mut nudge, mut class) = (T::ZERO, T::ZERO, 0);
        for o in 0..n_out {
            let target = y[b * n_out + o];
            let miss = target - basal[out + o];
            let gap = target - u[out + o];
            cost += miss * miss;
            if beta[o].finite() {
                nudge += beta[o] * gap * gap;
            }
            if basal[out + o] > basal[out + class] {
                class = o;
            }
        }
        let (mut mismatch2, mut f2, mut most, mut saturated) = (T::ZERO, T::ZERO, T::ZERO, T::ZERO);
        for i in a.cols.range() {
            let k = base + i;
            let mut f = delta[k] - d[k] * apical[k];
            if i >= a.outputs.start {
                let o = i - a.outputs.start;
                // A prescribed output is not free: it has no f.
                f = if beta[o].finite() { f - beta[o] * (y[b * n_out + o] - u[k]) } else { T::ZERO };
            } else if d[k] < flat {
                saturated += T::ONE;
            }
            f2 += f * f;
            mismatch2 += delta[k] * delta[k];
            if u[k].abs() > most {
                most = u[k].abs();
            }
        }
        if !a.sums || step.index == 0 {
            row[..=record::SATURATED].fill(T::ZERO);
        }
        row[record::COST] += half * cost;
        row[record::CLASS] = T::of(class as f64);
        row[record::ENERGY] += half * (mismatch2 + nudge);
        row[record::F_NORM] += f2.sqrt();
        row[record::SATURATED] += saturated;
        if most > row[record::MAX_U] {
            row[record::MAX_U] = most;
        }
    }
    s.put(a.record, rows);
}
