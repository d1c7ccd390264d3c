//! r̄, ρ', δ of a panel, and the targets of its outputs.

use super::room::{Field, Input, Output, Panel, Rows, lane};
use super::{Crew, Ramp, each, of_lanes, of_neurons, short};
use crate::cpu::Real;
use crate::cpu::panel::{Finish, Part, Size};
use crate::network::Activation;
use crate::plan::StepControl;

/// From u to δ, layer after layer.
#[inline(always)]
pub(super) fn run<T: Real, const G: usize, const C: usize>(
    crew: &Crew<T>,
    p: Panel,
    step: &StepControl,
    w: usize,
) {
    let map = crew.ground.map;
    for l in 0..map.layers.len() {
        if l + 1 < map.layers.len() {
            rates_of::<T, C>(crew, p, l);
            if step.rate_w != 0.0 && map.packs.is_some() {
                short::rates(crew, p, l);
            } else if step.rate_w != 0.0 {
                turn::<T, G>(crew, p, l);
            }
        }
        if l == 0 {
            first::<T, G, C>(crew, p, &Ramp::new(step));
        } else {
            product::<T>(crew, p, l, w);
            mismatch::<T, G, C>(crew, p, l);
        }
        if step.rate_w != 0.0 && map.packs.is_some() {
            short::mismatch(crew, p, l);
        }
    }
}

/// δ of a trajectory of its own, from the products in [`Field::Gated`].
#[inline(always)]
pub(super) fn single<T: Real, const C: usize>(crew: &Crew<T>, p: Panel, step: &StepControl) {
    first::<T, 1, C>(crew, p, &Ramp::new(step));
    for (l, &rows) in crew.ground.map.layers.iter().enumerate().skip(1) {
        let field = |which| crew.ground.chunks::<C>(which, p, rows);
        field(Field::Delta).copy_from_slice(crew.ground.see_chunks::<C>(Field::Gated, p, rows));
        mismatch::<T, 1, C>(crew, p, l);
    }
}

/// r̄ and ρ'.
#[inline(always)]
pub(super) fn rates_of<T: Real, const C: usize>(crew: &Crew<T>, p: Panel, l: usize) {
    // A known activation in each loop lets it be vectorised.
    match crew.plan.activation {
        Activation::HardSigmoid => rates::<T, C>(crew, p, l, |u| Activation::HardSigmoid.eval(u)),
        Activation::Relu => rates::<T, C>(crew, p, l, |u| Activation::Relu.eval(u)),
        other => rates::<T, C>(crew, p, l, |u| other.eval(u)),
    }
}

/// With a known activation.
#[inline(always)]
fn rates<T: Real, const C: usize>(crew: &Crew<T>, p: Panel, l: usize, eval: impl Fn(T) -> (T, T, T)) {
    let (ground, rows) = (&crew.ground, crew.ground.map.layers[l]);
    let field = |which| ground.chunks::<C>(which, p, rows);
    for ((r, d), u) in field(Field::R).iter_mut().zip(field(Field::D)).zip(field(Field::U)) {
        let u = *u;
        (*r, *d) = (each(|j| eval(u[j]).0), each(|j| eval(u[j]).1));
    }
}

/// r̄ once more with a row for each trajectory: what W learns from.
#[inline(always)]
fn turn<T: Real, const G: usize>(crew: &Crew<T>, p: Panel, l: usize) {
    let (ground, rows) = (&crew.ground, crew.ground.map.layers[l]);
    let stride = rows.stride();
    // With the rows that fill the last block: zeros.
    let from = ground.see(Field::R, p, Rows { len: stride, ..rows });
    for g in (0..p.width).step_by(G) {
        let to = ground.rates(l, p.first + g..p.first + g + G);
        assert!(from.len() == stride * p.width && to.len() == stride * G, "whole blocks");
        for n in (0..stride).step_by(T::GROUP) {
            let (from, to) = (from[n * p.width + g..].as_ptr(), to[n..].as_mut_ptr());
            // SAFETY: G = T::GROUP neurons of G trajectories; the stride is a multiple of it.
            unsafe { T::transpose(from, p.width, to, stride) };
        }
    }
}

/// δ of the first layer, with `W r̄` of the resident weights.
#[inline(always)]
fn first<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, p: Panel, ramp: &Ramp<T>) {
    let (ground, rows) = (&crew.ground, crew.ground.map.layers[0]);
    let input = |which| ground.input_chunks::<C>(which, p);
    let (old, new) = (input(Input::OldDrive), input(Input::NewDrive));
    let (active, bias) =
        (ground.lane(lane::ACTIVE, p), ground.see_biases(0, rows.start..rows.start + rows.stride()));
    let delta = ground.chunks::<C>(Field::Delta, p, rows);
    let u = ground.see_chunks::<C>(Field::U, p, rows);
    for (k, ((delta, u), (old, new))) in delta.iter_mut().zip(u).zip(old.iter().zip(new)).enumerate() {
        let (u, old, new) = (*u, *old, *new);
        let bias: [T; C] = of_neurons::<T, G, C>(bias, p, k);
        let active: [T; C] = of_lanes::<T, G, C>(active, p, k);
        let drive: [T; C] = each(|j| ramp.before * old[j] + ramp.now * new[j]);
        *delta = each(|j| if active[j] == T::ZERO { T::ZERO } else { u[j] - (drive[j] + bias[j]) });
    }
}

/// `W r̄` of a layer above.
#[inline(always)]
fn product<T: Real>(crew: &Crew<T>, p: Panel, l: usize, w: usize) {
    let ground = &crew.ground;
    let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
    let part = Part {
        a: ground.see_weights(w, l, 0..post.len).as_ptr(),
        strides: (pre.stride(), 1),
        x: ground.see(Field::R, p, pre).as_ptr(),
        stride: p.width,
        depth: pre.len,
    };
    let out = ground.field(Field::Delta, p, post).as_mut_ptr();
    let size = Size { rows: post.len, cols: p.width, stride: p.width };
    // SAFETY: everything lies in the room.
    unsafe { T::panels(size, &[part], &Finish::Scale { scale: T::ONE, out }) };
}

/// `δ = u − W r̄ − b`, 0 of trajectories without a sample.
#[inline(always)]
fn mismatch<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, p: Panel, l: usize) {
    let (ground, rows) = (&crew.ground, crew.ground.map.layers[l]);
    let (active, bias) =
        (ground.lane(lane::ACTIVE, p), ground.see_biases(0, rows.start..rows.start + rows.stride()));
    let delta = ground.chunks::<C>(Field::Delta, p, rows);
    for (k, (delta, u)) in delta.iter_mut().zip(ground.see_chunks::<C>(Field::U, p, rows)).enumerate() {
        let (u, sum) = (*u, *delta);
        let bias: [T; C] = of_neurons::<T, G, C>(bias, p, k);
        let active: [T; C] = of_lanes::<T, G, C>(active, p, k);
        *delta = each(|j| if active[j] == T::ZERO { T::ZERO } else { u[j] - (sum[j] + bias[j]) });
    }
}

/// u*, u̇* and, as the start of the backward sweep, the nudging `β(u* − u)/τ + β u̇*` less `β û̇`: of the outputs' u̇ as it is expected.
#[inline(always)]
pub(super) fn targets<T: Real, const G: usize>(crew: &Crew<T>, p: Panel, step: &StepControl) {
    let (ground, out) = (&crew.ground, crew.ground.map.out());
    let (ramp, inv_dt) = (T::of(step.ramp), T::of(1.0 / crew.plan.dt_ms));
    let (inv_tau, per) = (T::of(1.0 / crew.plan.tau_ms), p.width / G);
    let active = crew.lanes::<G>(lane::ACTIVE, p);
    let beta = crew.beta(step);
    let field = |which| ground.output(which, p).as_chunks_mut::<G>().0;
    let (old, new) = (field(Output::OldTarget), field(Output::NewTarget));
    let (y, y_dot) = (field(Output::Target), field(Output::TargetRate));
    let u = ground.see(Field::U, p, out).as_chunks::<G>().0;
    let guess = field(Output::Guess);
    let back = ground.field(Field::Back, p, out).as_chunks_mut::<G>().0;
    let mut sound = true;
    for (c, ((y, y_dot), (u, back))) in y.iter_mut().zip(y_dot).zip(u.iter().zip(back)).enumerate() {
        let (beta, active, old, new, u, last) = (beta[c / per], active[c % per], old[c], new[c], *u, *y);
        let next: [T; G] =
            each(|j| if active[j] != T::ZERO { old[j] + (new[j] - old[j]) * ramp } else { last[j] });
        let rate: [T; G] = each(|j| (next[j] - last[j]) * inv_dt);
        let guess = guess[c];
        *back = each(|j| beta * ((next[j] - u[j]) * inv_tau + rate[j] - guess[j]));
        sound &= next.iter().fold(true, |sound, v| sound & v.finite());
        (*y, *y_dot) = (next, rate);
    }
    if !sound {
        super::note::targets(crew, p, step.index);
    }
}
