//! u̇ of a panel, and the step along it.

use super::room::{Field, Input, Panel, Rows, lane};
use super::{Crew, Ramp, each, factors, guess, iterate, note, of_lanes, of_neurons, sense, single};
use crate::cpu::Real;
use crate::cpu::panel::{Finish, Part, Size};
use crate::kernels::solver;
use crate::plan::StepControl;

/// Solves `H u̇ = rhs` with weights `w`, books it and moves the voltages.
#[inline(always)]
pub(super) fn run<T: Real, const G: usize, const C: usize>(
    crew: &Crew<T>,
    p: Panel,
    step: &StepControl,
    w: usize,
) {
    if G == 1 {
        guess::run(crew, p);
    }
    sense::targets::<T, G>(crew, p, step);
    if G == 1 {
        single::right_hand_side(crew, p, step);
        single::sweep(crew, p, Field::Back, Field::Rate, Some(step));
    } else {
        backward(crew, p, Field::Back, w, Some(step));
        right_hand_side::<T, G, C>(crew, p, step);
        forward(crew, p, Field::Rate, w, Some(step));
    }
    iterate::run::<T, G, C>(crew, p, step, w);
    book::<T, G>(crew, p);
    advance::<T, G, C>(crew, p, step);
    if G == 1 {
        guess::learn(crew, p);
    }
}

/// Whether Ẇ into a layer enters the dynamics now.
#[inline(always)]
fn moves<T: Real>(crew: &Crew<T>, l: usize, step: Option<&StepControl>) -> bool {
    let rate = step.map_or(0.0, |step| step.rate_w * crew.plan.layers[l].factor);
    crew.plan.weights_in_dynamics && rate != 0.0
}

/// `z_pre ← ρ'·(Wᵀ z_post)` from the last layer on; with a step, of the right-hand side, which has `Ẇᵀδ` as well.
#[inline(always)]
pub(super) fn backward<T: Real>(crew: &Crew<T>, p: Panel, z: Field, w: usize, step: Option<&StepControl>) {
    let ground = &crew.ground;
    for l in (1..ground.map.layers.len()).rev() {
        let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
        let field = |which, rows: Rows| ground.see(which, p, rows);
        let part = |a: &[T], strides, x: &[T], depth| Part {
            a: a.as_ptr(),
            strides,
            x: x.as_ptr(),
            stride: p.width,
            depth,
        };
        let across = (1, pre.stride());
        let first = part(ground.see_weights(w, l, 0..post.len), across, field(z, post), post.len);
        let second = step.filter(|_| moves(crew, l, step)).map(|step| {
            if ground.map.factors[l] {
                // Ẇᵀδ = κ Σ r̄ (δᵀδ).
                let with = factors::of_mismatches(crew, p, l, step);
                part(ground.see_rates(l - 1, 0..ground.map.lanes), across, with, ground.map.lanes)
            } else {
                part(ground.see_weights(2, l, 0..post.len), across, field(Field::Delta, post), post.len)
            }
        });
        let both = [first, second.unwrap_or(first)];
        let finish =
            Finish::Gate { gate: field(Field::D, pre).as_ptr(), out: ground.field(z, p, pre).as_mut_ptr() };
        let size = Size { rows: pre.len, cols: p.width, stride: p.width };
        // SAFETY: everything lies in the room; the panel is this thread's.
        unsafe { T::panels(size, &both[..1 + usize::from(second.is_some())], &finish) };
    }
}

/// `y_post ← y_post + W (ρ' y_pre)` from the first layer on; with a step, of u̇, which has `Ẇ r̄` as well. The first layer of a direction is a
/// product with ρ' already, which is 0 or 1.
#[inline(always)]
pub(super) fn forward<T: Real>(crew: &Crew<T>, p: Panel, y: Field, w: usize, step: Option<&StepControl>) {
    let ground = &crew.ground;
    for l in 1..ground.map.layers.len() {
        let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
        let field = |which, rows: Rows| ground.see(which, p, rows);
        let from = if l == 1 && step.is_none() { y } else { Field::Gated };
        let part = |a: &[T], row: usize, x: &[T], depth| Part {
            a: a.as_ptr(),
            strides: (row, 1),
            x: x.as_ptr(),
            stride: p.width,
            depth,
        };
        let mut parts = crew.parts.borrow_mut();
        parts.clear();
        parts.push(part(ground.see_weights(w, l, 0..post.len), pre.stride(), field(from, pre), pre.len));
        let learned = step.filter(|_| moves(crew, l, step));
        if let Some(step) = learned.filter(|_| ground.map.factors[l]) {
            // Ẇ r̄ = κ Σ δ (r̄ᵀr̄).
            let with = factors::of_rates(crew, p, l, step);
            for &other in &crew.all {
                let delta = ground.see(Field::Delta, other, post);
                parts.push(part(delta, other.width, &with[other.first * p.width..], other.width));
            }
        } else if learned.is_some() {
            let w_dot = ground.see_weights(2, l, 0..post.len);
            parts.push(part(w_dot, pre.stride(), field(Field::R, pre), pre.len));
        }
        let finish = Finish::Add {
            out: ground.field(y, p, post).as_mut_ptr(),
            gate: field(Field::D, post).as_ptr(),
            gated: ground.field(Field::Gated, p, post).as_mut_ptr(),
        };
        let size = Size { rows: post.len, cols: p.width, stride: p.width };
        // SAFETY: as above.
        unsafe { T::panels(size, &parts, &finish) };
    }
}

/// `c = −δ/τ + ḃ + z`, of the first layer with `Ẇ r̄ + W u̇_in`.
#[inline(always)]
fn right_hand_side<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, p: Panel, step: &StepControl) {
    let (ground, inv_tau) = (&crew.ground, T::of(1.0 / crew.plan.tau_ms));
    let on = if crew.plan.biases_in_dynamics && step.rate_b != 0.0 { T::ONE } else { T::ZERO };
    for (l, &rows) in ground.map.layers.iter().enumerate() {
        let field = |which| ground.chunks::<C>(which, p, rows);
        let b_dot = ground.see_biases(1, rows.start..rows.start + rows.stride());
        let (c, back) = (field(Field::Rate), field(Field::Back));
        // Other threads may be reading it, too.
        let delta = ground.see_chunks::<C>(Field::Delta, p, rows);
        for (k, ((c, back), delta)) in c.iter_mut().zip(back).zip(delta).enumerate() {
            let (back, delta) = (*back, *delta);
            let bias: [T; C] = of_neurons::<T, G, C>(b_dot, p, k);
            *c = each(|j| back[j] - delta[j] * inv_tau + on * bias[j]);
        }
        if l == 0 && step.rate_w * crew.plan.layers[0].factor != 0.0 {
            learn_input::<T, C>(crew, p, step);
        } else if l == 0 {
            follow_input::<T, C>(crew, p, step);
        }
    }
}

/// `W u̇_in` of the resident weights.
#[inline(always)]
fn follow_input<T: Real, const C: usize>(crew: &Crew<T>, p: Panel, step: &StepControl) {
    let ground = &crew.ground;
    let field = |which| ground.chunks::<C>(which, p, ground.map.layers[0]);
    let input = |which| ground.input_chunks::<C>(which, p);
    let slope = T::of((step.ramp - step.ramp_prev) / crew.plan.dt_ms);
    let drives = input(Input::OldDrive).iter().zip(input(Input::NewDrive));
    let fields = field(Field::Rate).iter_mut().zip(field(Field::Gated).iter_mut().zip(field(Field::D)));
    for ((c, (gated, d)), (old, new)) in fields.zip(drives) {
        let (old, new, d, last) = (*old, *new, *d, *c);
        let sum: [T; C] = each(|j| last[j] + slope * (new[j] - old[j]));
        *c = sum;
        *gated = each(|j| d[j] * sum[j]);
    }
}

/// `Ẇ r̄ + W u̇_in` of the resident weights, W r_old and W r_new after the step, and what W will have learned.
#[inline(always)]
fn learn_input<T: Real, const C: usize>(crew: &Crew<T>, p: Panel, step: &StepControl) {
    let (ground, ramp, dt) = (&crew.ground, Ramp::<T>::new(step), T::of(crew.plan.dt_ms));
    let field = |which| ground.chunks::<C>(which, p, ground.map.layers[0]);
    let input = |which| ground.input_chunks::<C>(which, p);
    let slope = T::of((step.ramp - step.ramp_prev) / crew.plan.dt_ms);
    let share = T::of(step.rate_w * crew.plan.layers[0].factor) * dt;
    let (share_old, share_new) = (share * ramp.before, share * ramp.now);
    let on = if crew.plan.weights_in_dynamics { T::ONE } else { T::ZERO };
    let drives = input(Input::OldDrive).iter_mut().zip(input(Input::NewDrive));
    let rates = input(Input::OldRate).iter().zip(input(Input::NewRate));
    let learned = input(Input::OldLearned).iter_mut().zip(input(Input::NewLearned));
    let fields = field(Field::Rate).iter_mut().zip(field(Field::Gated)).zip(field(Field::D));
    let delta = ground.see_chunks::<C>(Field::Delta, p, ground.map.layers[0]);
    let inputs = drives.zip(rates).zip(learned).zip(delta);
    for (((c, gated), d), ((((old, new), (old_rate, new_rate)), (a_old, a_new)), delta)) in fields.zip(inputs)
    {
        let (d, delta, last, v_old, v_new) = (*d, *delta, *c, *old, *new);
        let (r_old, r_new, l_old, l_new) = (*old_rate, *new_rate, *a_old, *a_new);
        let sum: [T; C] = each(|j| {
            let learns = ramp.before * r_old[j] + ramp.now * r_new[j];
            last[j] + slope * (v_new[j] - v_old[j]) + on * learns
        });
        *c = sum;
        *gated = each(|j| d[j] * sum[j]);
        (*old, *new) = (each(|j| v_old[j] + dt * r_old[j]), each(|j| v_new[j] + dt * r_new[j]));
        (*a_old, *a_new) =
            (each(|j| l_old[j] + share_old * delta[j]), each(|j| l_new[j] + share_new * delta[j]));
    }
}

/// As [`crate::cpu::cg_finish`].
#[inline(always)]
fn book<T: Real, const G: usize>(crew: &Crew<T>, p: Panel) {
    for g in 0..p.width / G {
        let row = |k| crew.book::<G>(k, p, g);
        let (active, count, bent) = (row(lane::ACTIVE), row(solver::ITERATIONS), row(solver::BENT));
        let (norm2, threshold2) = (row(solver::RESIDUAL2), row(solver::THRESHOLD2));
        let (total, most, indefinite) = (row(solver::TOTAL), row(solver::MOST), row(solver::INDEFINITE));
        let (missed, relative) = (row(solver::UNCONVERGED), row(solver::RESIDUAL));
        for j in (0..G).filter(|&j| active[j] != T::ZERO) {
            total[j] += count[j];
            indefinite[j] += bent[j];
            most[j] = if count[j] > most[j] { count[j] } else { most[j] };
            // Also counts where a NaN makes the comparison false.
            let converged = norm2[j] <= threshold2[j];
            missed[j] += if converged { T::ZERO } else { T::ONE };
            if norm2[j] > T::ZERO && threshold2[j] > T::ZERO {
                let now = (norm2[j] / threshold2[j]).sqrt() * T::of(crew.plan.tolerance);
                relative[j] = if now > relative[j] { now } else { relative[j] };
            }
        }
    }
}

/// `u ← u + dt·u̇`; u̇ of trajectories without a sample is 0.
#[inline(always)]
fn advance<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, p: Panel, step: &StepControl) {
    let ground = &crew.ground;
    let (dt, limit) = (T::of(crew.plan.dt_ms), T::of(crew.plan.u_limit));
    let active = ground.lane(lane::ACTIVE, p);
    // How often a voltage is beyond the limit, or is no number.
    let mut beyond = [T::ZERO; C];
    for &rows in &ground.map.layers {
        let rate = ground.chunks::<C>(Field::Rate, p, rows);
        for (k, (rate, u)) in rate.iter_mut().zip(ground.chunks::<C>(Field::U, p, rows)).enumerate() {
            let (active, last, before): ([T; C], _, _) = (of_lanes::<T, G, C>(active, p, k), *rate, *u);
            let rates: [T; C] = each(|j| if active[j] == T::ZERO { T::ZERO } else { last[j] });
            let next: [T; C] = each(|j| before[j] + dt * rates[j]);
            let seen = beyond;
            beyond = each(|j| seen[j] + if next[j].abs() <= limit { T::ZERO } else { T::ONE });
            (*rate, *u) = (rates, next);
        }
    }
    if beyond.iter().any(|&count| count != T::ZERO) {
        note::states(crew, p, step.index);
    }
}
