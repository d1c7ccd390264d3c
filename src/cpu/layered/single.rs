//! Products of a single trajectory: Ẇ has rank 1 and is never formed, and W, which nobody else reads, learns where it lies.

use super::Crew;
use super::room::{Field, Panel};
use crate::cpu::Real;
use crate::cpu::rows::{ROWS, next};
use crate::cpu::update::clamp;
use crate::plan::StepControl;

/// The only panel.
pub(super) const ONLY: Panel = Panel { first: 0, width: 1 };

/// `turn` for every element of `W x` into a layer.
#[inline(always)]
pub(super) fn forward<T: Real>(crew: &Crew<T>, l: usize, x: Field, mut turn: impl FnMut(usize, T)) {
    let ground = &crew.ground;
    let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
    let (w, x) = (ground.weights(0, l, 0..post.len), ground.field(x, ONLY, pre));
    let mut i = 0;
    while i < post.len {
        let count = next(post.len - i);
        let a = w[i * pre.stride()..].as_ptr();
        // SAFETY: rows of the length of x, which is that of the layer before.
        let sums = unsafe { T::dots(a, pre.stride(), count, pre.len, x.as_ptr()) };
        sums.into_iter().take(count).enumerate().for_each(|(r, sum)| turn(i + r, sum));
        i += count;
    }
}

/// `z_pre ← ρ'·(Wᵀ z_post + share·r̄)`.
#[inline(always)]
pub(super) fn backward<T: Real>(crew: &Crew<T>, l: usize, z: Field, share: T) {
    let ground = &crew.ground;
    let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
    let w = ground.weights(0, l, 0..post.len);
    let (from, to) = (ground.field(z, ONLY, post), ground.field(z, ONLY, pre));
    for (to, r) in to.iter_mut().zip(ground.field(Field::R, ONLY, pre)) {
        *to = share * *r;
    }
    let mut i = 0;
    while i < post.len {
        let count = next(post.len - i);
        let few: [T; ROWS] = std::array::from_fn(|r| from.get(i + r).copied().unwrap_or(T::ZERO));
        let a = w[i * pre.stride()..].as_ptr();
        // SAFETY: rows of the length of the result.
        unsafe { T::combine(a, pre.stride(), count, pre.len, &few, to.as_mut_ptr()) };
        i += count;
    }
    for (to, d) in to.iter_mut().zip(ground.field(Field::D, ONLY, pre)) {
        *to = *to * *d;
    }
}

/// ‖v‖² of a layer: `Ẇ r̄ = κ δ ‖r̄‖²`, `Ẇᵀδ = κ r̄ ‖δ‖²`.
#[inline(always)]
pub(super) fn square<T: Real>(crew: &Crew<T>, field: Field, l: usize) -> T {
    crate::cpu::real::square(crew.ground.field(field, ONLY, crew.ground.map.layers[l]))
}

/// `W ← W + dt κ δ r̄ᵀ`, within the clip.
#[inline(always)]
pub(super) fn learn<T: Real>(crew: &Crew<T>, step: &StepControl) {
    let ground = &crew.ground;
    for (l, layer) in crew.plan.layers.iter().enumerate().skip(1) {
        let rate = T::of(step.rate_w * layer.factor) * T::of(crew.plan.dt_ms);
        if rate == T::ZERO {
            continue;
        }
        let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
        let r = &*ground.field(Field::R, ONLY, pre);
        for (i, &delta) in ground.field(Field::Delta, ONLY, post).iter().enumerate() {
            let row = &mut ground.weights(0, l, i..i + 1)[..pre.len];
            let share = rate * delta;
            row.iter_mut().zip(r).for_each(|(w, &r)| *w += share * r);
            if let Some(clip) = layer.clip {
                clamp(row, T::of(clip));
            }
        }
    }
}
