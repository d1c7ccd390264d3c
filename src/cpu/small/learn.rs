//! `W ← W + dt·κ·δ r̄ᵀ`, then the clip, of a single trajectory, which owns its weights: one pass over W.

use super::Step;
use crate::cpu::{Lane, Real};
use crate::plan::StepControl;

/// All weights that learn or are bounded.
#[inline(always)]
pub(super) fn run<T: Real>(s: &mut Lane<T>, step: &Step, control: &StepControl) {
    for block in &step.small.blocks {
        let share = T::of(control.rate_w * block.factor * step.dt_ms);
        if share == T::ZERO && block.clip.is_none() {
            continue;
        }
        let Some(mut w) = s.take_all(block.w) else { continue };
        let (delta, r) = (&s.get(step.mismatch.delta)[block.post.range()], s.get(step.rates.r));
        let r = &r[block.pre.range()];
        let bound = block.clip.map_or(T::of(f64::INFINITY), T::of);
        for (i, (row, &delta)) in w.chunks_exact_mut(r.len().max(1)).zip(delta).enumerate() {
            let own = block.hollow.then(|| row[i]);
            let factor = share * delta;
            for (w, &r) in row.iter_mut().zip(r) {
                let next = *w + factor * r;
                // Comparisons, so that a NaN stays one.
                let next = if next > bound { bound } else { next };
                *w = if next < -bound { -bound } else { next };
            }
            // Its own bound apart, a weight onto itself does not learn.
            if let Some(own) = own {
                row[i] = own;
            }
        }
        s.put(block.w, w);
    }
}
