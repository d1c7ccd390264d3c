//! What a thread computes for all, or for itself where it has weights of its own: rows of Ẇ, of the next W and of b; and what its panels need of
//! the δ of all.

use super::room::{Field, Input, Panel};
use super::{Crew, Ramp, short, single};
use crate::cpu::Real;
use crate::cpu::panel::{Finish, Learn, Part, Size};
use crate::cpu::update::clamp;
use crate::plan::StepControl;

/// From weights `w` to the others.
#[inline(always)]
pub(super) fn run<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, step: &StepControl, w: usize) {
    for l in 0..crew.plan.layers.len() {
        if l > 0 && !crew.ground.map.single {
            weights(crew, step, l, w);
        }
        biases::<T, G>(crew, step, l);
    }
    let rate = step.rate_w * crew.plan.layers[0].factor;
    if rate != 0.0 {
        for &p in &crew.panels {
            resident::<T, G, C>(crew, p, step, T::of(rate));
        }
    }
}

/// `Ẇ = κ Σ δ r̄ᵀ`, `W + dt Ẇ`.
#[inline(always)]
fn weights<T: Real>(crew: &Crew<T>, step: &StepControl, l: usize, w: usize) {
    let (ground, layer) = (&crew.ground, &crew.plan.layers[l]);
    let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
    let rows = crew.share(post.len);
    let rate = step.rate_w * layer.factor;
    let next = ground.weights(1 - w, l, rows.clone());
    if rate == 0.0 {
        next.copy_from_slice(ground.see_weights(w, l, rows));
        return;
    }
    let learn = Learn {
        scale: T::of(rate),
        dt: T::of(crew.plan.dt_ms),
        clip: T::of(layer.clip.unwrap_or(f64::INFINITY)),
        w: ground.see_weights(w, l, rows.clone()).as_ptr(),
        next: next.as_mut_ptr(),
        rate: if ground.map.factors[l] {
            std::ptr::null_mut()
        } else {
            ground.weights(2, l, rows.clone()).as_mut_ptr()
        },
    };
    if ground.map.packs.is_some() {
        return short::weights(crew, l, &rows, learn);
    }
    let part = |p: Panel| Part {
        a: ground.see(Field::Delta, p, post)[rows.start * p.width..].as_ptr(),
        strides: (p.width, 1),
        x: ground.see_rates(l - 1, p.first..p.first + p.width).as_ptr(),
        stride: pre.stride(),
        depth: p.width,
    };
    let size = Size { rows: rows.len(), cols: pre.stride(), stride: pre.stride() };
    // SAFETY: everything lies in the room; these rows are this thread's.
    crew.everywhere(part, |parts| unsafe { T::panels(size, parts, &Finish::Learn(learn)) });
}

/// `ḃ = κ_b·factor·Σ δ`, b: the sum over groups of trajectories in their order, then over those of a group.
#[inline(always)]
fn biases<T: Real, const G: usize>(crew: &Crew<T>, step: &StepControl, l: usize) {
    let (ground, layer) = (&crew.ground, &crew.plan.layers[l]);
    let rows = ground.map.layers[l];
    let share = crew.share(rows.len);
    let (rate, dt) = (T::of(step.rate_b), T::of(crew.plan.dt_ms));
    let at = |which| ground.biases(which, rows.start + share.start..rows.start + share.end);
    let (b, b_dot, factor) = (at(0), at(1), at(2));
    if G == 1 {
        b_dot.fill(T::ZERO);
        for &p in &crew.all {
            for ((b_dot, factor), delta) in
                b_dot.iter_mut().zip(&*factor).zip(ground.see(Field::Delta, p, rows))
            {
                *b_dot += rate * *factor * *delta;
            }
        }
        single::add_flat(b, dt, b_dot);
        if let Some(clip) = layer.bias_clip {
            clamp(b, T::of(clip));
        }
        return;
    }
    for (k, n) in share.clone().enumerate() {
        let mut sums = [T::ZERO; G];
        for &p in &crew.all {
            let delta = ground.see(Field::Delta, p, rows)[n * p.width..][..p.width].as_chunks::<G>().0;
            for chunk in delta {
                sums.iter_mut().zip(chunk).for_each(|(sum, &d)| *sum += d);
            }
        }
        let mut half = G / 2;
        while half > 0 {
            for j in 0..half {
                sums[j] += sums[j + half];
            }
            half /= 2;
        }
        b_dot[k] = if step.rate_b == 0.0 { T::ZERO } else { rate * factor[k] * sums[0] };
        b[k] += dt * b_dot[k];
    }
    if let Some(clip) = layer.bias_clip {
        clamp(b, T::of(clip));
    }
}

/// `Ẇ r_old` and `Ẇ r_new` from the overlaps of the present rates with both.
#[inline(always)]
fn resident<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, p: Panel, step: &StepControl, rate: T) {
    if crew.ground.map.packs.is_some() {
        return short::resident(crew, p, step, rate);
    }
    let (ground, rows, ramp) = (&crew.ground, crew.ground.map.layers[0], Ramp::<T>::new(step));
    for (k, to) in [Input::OldRate, Input::NewRate].into_iter().enumerate() {
        let mixed = ground.mixed(k, p);
        let (old, new) = (ground.overlaps(2 * k, p), ground.overlaps(2 * k + 1, p));
        for ((mixed, old), new) in mixed.iter_mut().zip(old).zip(new) {
            *mixed = ramp.before * *old + ramp.now * *new;
        }
        if G == 1 {
            let to = ground.input_chunks::<C>(to, p).as_flattened_mut();
            to.fill(T::ZERO);
            for (&other, mixed) in crew.all.iter().zip(&*mixed) {
                let delta = ground.see_chunks::<C>(Field::Delta, other, rows).as_flattened();
                single::add_flat(to, rate * *mixed, delta);
            }
            continue;
        }
        let part = |other: Panel| Part {
            a: ground.see(Field::Delta, other, rows).as_ptr(),
            strides: (other.width, 1),
            x: mixed[other.first * p.width..].as_ptr(),
            stride: p.width,
            depth: other.width,
        };
        let size = Size { rows: rows.len, cols: p.width, stride: p.width };
        let out = ground.input(to, p).as_mut_ptr();
        // SAFETY: everything lies in the room; the panel is this thread's.
        crew.everywhere(part, |parts| unsafe { T::panels(size, parts, &Finish::Scale { scale: rate, out }) });
    }
}
