//! Time steps of few trajectories, one after the other: each is a panel of width 1, and what Ẇ does follows from its factors. W, which nobody
//! else reads, learns where it lies, and passes by once for what it learns and the next products; see [`crate::cpu::sweep`].

use super::room::{Field, Input, Panel, Rows};
use super::{Crew, Ramp, each, learn, sense, solve};
use crate::cpu::Real;
use crate::cpu::sweep::{Forth, Sweep};
use crate::cpu::update::clamp;
use crate::plan::StepControl;

/// Elements that loops take at a time.
const C: usize = 16;

/// Runs some steps.
#[inline(always)]
pub(super) fn steps<T: Real>(crew: &Crew<T>, controls: &[StepControl]) {
    renew(crew, None, true);
    for (k, step) in controls.iter().enumerate() {
        for &p in &crew.panels {
            sense::single::<T, C>(crew, p, step);
        }
        let learns = step.rate_w != 0.0 || step.rate_b != 0.0;
        if learns {
            learn::run::<T, 1, C>(crew, step, 0);
        }
        for &p in &crew.panels {
            solve::run::<T, 1, C>(crew, p, step, 0);
        }
        renew(crew, Some(step).filter(|_| learns), k + 1 < controls.len());
    }
}

/// κ of W into a layer; 0 without a step.
#[inline(always)]
pub(super) fn rate<T: Real>(crew: &Crew<T>, l: usize, step: Option<&StepControl>) -> T {
    T::of(step.map_or(0.0, |step| step.rate_w * crew.plan.layers[l].factor))
}

/// What W learned in the step that ends, and, where another one follows, its r̄, ρ' and `W r̄` (in [`Field::Gated`]).
#[inline(always)]
fn renew<T: Real>(crew: &Crew<T>, step: Option<&StepControl>, goes_on: bool) {
    let (ground, dt) = (&crew.ground, T::of(crew.plan.dt_ms));
    for l in 1..ground.map.layers.len() {
        let (pre, share) = (ground.map.layers[l - 1], rate(crew, l, step) * dt);
        for &p in &crew.panels {
            if share != T::ZERO {
                let from = ground.see_chunks::<C>(Field::R, p, pre).as_flattened();
                let to = ground.chunks::<C>(Field::Way, p, pre).as_flattened_mut();
                for (to, &r) in to.iter_mut().zip(from) {
                    *to = share * r;
                }
            }
            if goes_on {
                sense::rates_of::<T, C>(crew, p, l - 1);
            }
        }
    }
    for l in 1..ground.map.layers.len() {
        pass(crew, l, rate(crew, l, step) != T::ZERO, goes_on);
    }
}

/// W into a layer.
#[inline(always)]
fn pass<T: Real>(crew: &Crew<T>, l: usize, learns: bool, goes_on: bool) {
    let ground = &crew.ground;
    let (pre, post, block) = (ground.map.layers[l - 1], ground.map.layers[l], ground.block(l));
    let clip = crew.plan.layers[l].clip;
    let at = |field, p, rows: Rows| ground.field(field, p, rows).as_mut_ptr();
    let mut first = 0;
    for (k, &p) in crew.panels.iter().enumerate().filter(|_| learns) {
        // With the last of what is learned, the first product.
        let both = goes_on && clip.is_none() && k + 1 == crew.panels.len();
        let to = if both { crew.panels[0] } else { p };
        first = usize::from(both);
        let x = if both { at(Field::R, to, pre).cast_const() } else { std::ptr::null() };
        let (t, delta, sums) =
            (at(Field::Way, p, pre), at(Field::Delta, p, post), at(Field::Gated, to, post));
        // SAFETY: fields and blocks of the room are padded with zeros.
        unsafe { T::forth(&block, &Forth { t, delta, x, sums }) };
    }
    if let Some(clip) = clip.filter(|_| learns) {
        clamp(ground.blocks(l), T::of(clip));
    }
    // Taken again: the clip has borrowed all of it.
    let block = ground.block(l);
    for &p in crew.panels[first..].iter().filter(|_| goes_on) {
        let (x, sums) = (at(Field::R, p, pre), at(Field::Gated, p, post));
        // SAFETY: as above.
        unsafe { T::forth(&block, &Forth { t: std::ptr::null(), delta: std::ptr::null(), x, sums }) };
    }
}

/// There: `z_pre ← ρ'·(Wᵀ z_post)` from the last layer on. And back: `y_post ← y_post + W (ρ' y_pre)` from the first layer on, where y is z;
/// with a step that of the right-hand side and u̇, with what Ẇ does.
#[inline(always)]
pub(super) fn sweep<T: Real>(crew: &Crew<T>, p: Panel, z: Field, y: Field, step: Option<&StepControl>) {
    let (ground, layers) = (&crew.ground, &crew.ground.map.layers);
    for l in (1..layers.len()).rev() {
        let (pre, post) = (layers[l - 1], layers[l]);
        let at = |field, rows: Rows| ground.field(field, p, rows).as_mut_ptr();
        let (r, share) = learned_back(crew, p, l, step);
        let lowest = l == 1;
        let out = if lowest { y } else { z };
        let sums = if lowest { at(Field::Gated, post) } else { std::ptr::null_mut() };
        let (z, d, y) = (at(z, post), at(Field::D, pre), at(out, pre));
        let e = if lowest && step.is_some() { y.cast_const() } else { std::ptr::null() };
        // SAFETY: fields and blocks of the room are padded with zeros.
        unsafe { T::sweep(&ground.block(l), &Sweep { z, d, r, share, e, y, sums }) };
        if !lowest && step.is_some() {
            add(ground.chunks::<C>(Field::Rate, p, pre), T::ONE, ground.see_chunks::<C>(out, p, pre));
        }
    }
    for l in 1..layers.len() {
        if l > 1 {
            let at = |field, l: usize| ground.field(field, p, layers[l]).as_mut_ptr();
            let (x, sums) = (at(Field::Gated, l - 1), at(Field::Gated, l));
            // SAFETY: as above.
            unsafe {
                T::forth(&ground.block(l), &Forth { t: std::ptr::null(), delta: std::ptr::null(), x, sums });
            }
        }
        let field = |which| ground.chunks::<C>(which, p, layers[l]).as_flattened_mut();
        let gates = ground.see_chunks::<C>(Field::D, p, layers[l]).as_flattened();
        for ((y, gated), &d) in field(y).iter_mut().zip(field(Field::Gated)).zip(gates) {
            *y += *gated;
            *gated = d * *y;
        }
        learned_forth(crew, p, l, y, step);
    }
}

/// The step, where Ẇ into a layer enters the dynamics.
#[inline(always)]
fn moves<'s, T: Real>(crew: &Crew<T>, l: usize, step: Option<&'s StepControl>) -> Option<&'s StepControl> {
    step.filter(|_| crew.plan.weights_in_dynamics && rate(crew, l, step) != T::ZERO)
}

/// `Ẇᵀδ = κ Σ r̄ᵢ (δᵢ·δ)` as a vector and its factor.
#[inline(always)]
fn learned_back<T: Real>(crew: &Crew<T>, p: Panel, l: usize, step: Option<&StepControl>) -> (*const T, T) {
    let ground = &crew.ground;
    let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
    let r = ground.see(Field::R, p, pre).as_ptr();
    let Some(step) = moves(crew, l, step) else { return (r, T::ZERO) };
    let share = rate(crew, l, Some(step));
    let delta = ground.see_chunks::<C>(Field::Delta, p, post);
    if crew.panels.len() == 1 {
        return (r, share * dot(delta, delta));
    }
    let to = ground.chunks::<C>(Field::Way, p, pre);
    to.fill([T::ZERO; C]);
    for &other in &crew.panels {
        add(
            to,
            dot(ground.see_chunks::<C>(Field::Delta, other, post), delta),
            ground.see_chunks::<C>(Field::R, other, pre),
        );
    }
    (to.as_ptr().cast(), share)
}

/// `Ẇ r̄ = κ Σ δᵢ (r̄ᵢ·r̄)`, to y and ρ' y.
#[inline(always)]
fn learned_forth<T: Real>(crew: &Crew<T>, p: Panel, l: usize, y: Field, step: Option<&StepControl>) {
    let ground = &crew.ground;
    let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
    let Some(step) = moves(crew, l, step) else { return };
    let share = rate(crew, l, Some(step));
    let y = ground.chunks::<C>(y, p, post);
    let r = ground.see_chunks::<C>(Field::R, p, pre);
    for &other in &crew.panels {
        let with = share * dot(ground.see_chunks::<C>(Field::R, other, pre), r);
        add(y, with, ground.see_chunks::<C>(Field::Delta, other, post));
    }
    let gates = ground.see_chunks::<C>(Field::D, p, post).as_flattened();
    let gated = ground.chunks::<C>(Field::Gated, p, post).as_flattened_mut();
    for ((gated, &d), &y) in gated.iter_mut().zip(gates).zip(y.as_flattened()) {
        *gated = d * y;
    }
}

/// `to ← to + by·from`.
#[inline(always)]
fn add<T: Real>(to: &mut [[T; C]], by: T, from: &[[T; C]]) {
    add_flat(to.as_flattened_mut(), by, from.as_flattened());
}

/// Element by element: chunks of as few arrays would be gathered and scattered.
#[inline(always)]
pub(super) fn add_flat<T: Real>(to: &mut [T], by: T, from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += by * from;
    }
}

/// `c = −δ/τ + ḃ`, of the first layer with `Ẇ r̄ + W u̇_in`; and what the resident weights learn.
#[inline(always)]
pub(super) fn right_hand_side<T: Real>(crew: &Crew<T>, p: Panel, step: &StepControl) {
    let (ground, inv_tau) = (&crew.ground, T::of(1.0 / crew.plan.tau_ms));
    let on = if crew.plan.biases_in_dynamics && step.rate_b != 0.0 { T::ONE } else { T::ZERO };
    let top = ground.map.layers.len() - 1;
    for (l, &rows) in ground.map.layers.iter().enumerate() {
        let see = |which| ground.see_chunks::<C>(which, p, rows).as_flattened();
        let b_dot = ground.see_biases(1, rows.start..rows.start + rows.stride());
        let c = ground.chunks::<C>(Field::Rate, p, rows).as_flattened_mut();
        for ((c, &delta), &b_dot) in c.iter_mut().zip(see(Field::Delta)).zip(b_dot) {
            *c = on * b_dot - delta * inv_tau;
        }
        if l == 0 {
            input(crew, p, step, c);
        }
        if l == top {
            add_flat(c, T::ONE, see(Field::Back));
            let gates = see(Field::D);
            let gated = ground.chunks::<C>(Field::Gated, p, rows).as_flattened_mut();
            for ((gated, &d), &c) in gated.iter_mut().zip(gates).zip(&*c) {
                *gated = d * c;
            }
        }
    }
}

/// What the input does to c of the first layer, W r_old and W r_new after the step, and what W will have learned.
#[inline(always)]
fn input<T: Real>(crew: &Crew<T>, p: Panel, step: &StepControl, c: &mut [T]) {
    let (ground, ramp, dt) = (&crew.ground, Ramp::<T>::new(step), T::of(crew.plan.dt_ms));
    let input = |which| ground.input_chunks::<C>(which, p).as_flattened_mut();
    let (old, new) = (input(Input::OldDrive), input(Input::NewDrive));
    let slope = T::of((step.ramp - step.ramp_prev) / crew.plan.dt_ms);
    for ((c, &old), &new) in c.iter_mut().zip(&*old).zip(&*new) {
        *c += slope * (new - old);
    }
    let rate = rate(crew, 0, Some(step));
    if rate == T::ZERO {
        return;
    }
    let (r_old, r_new) = (&*input(Input::OldRate), &*input(Input::NewRate));
    if crew.plan.weights_in_dynamics {
        for ((c, &old), &new) in c.iter_mut().zip(r_old).zip(r_new) {
            *c += ramp.before * old + ramp.now * new;
        }
    }
    add_flat(old, dt, r_old);
    add_flat(new, dt, r_new);
    let delta = ground.see_chunks::<C>(Field::Delta, p, ground.map.layers[0]).as_flattened();
    let share = rate * dt;
    add_flat(input(Input::OldLearned), share * ramp.before, delta);
    add_flat(input(Input::NewLearned), share * ramp.now, delta);
}

/// The inner product, in a fixed order.
#[inline(always)]
fn dot<T: Real>(a: &[[T; C]], b: &[[T; C]]) -> T {
    let mut sums = [T::ZERO; C];
    for (a, b) in a.iter().zip(b) {
        let (a, b, last) = (*a, *b, sums);
        sums = each(|j| last[j] + a[j] * b[j]);
    }
    let mut half = C / 2;
    while half > 0 {
        for j in 0..half {
            sums[j] += sums[j + half];
        }
        half /= 2;
    }
    sums[0]
}
