//! u̇ of a panel, and the step along it.

use super::room::{Field, Input, Output, Panel, Rows, lane};
use super::{Crew, Ramp, each, guess, note, of_lanes, of_neurons, sense, single};
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
    iterate::<T, G, C>(crew, p, step, w);
    book::<T, G>(crew, p);
    advance::<T, G, C>(crew, p, step);
    if G == 1 {
        guess::learn(crew, p);
    }
}

/// W along its rows or, for the transposed product, across them; and Ẇ where it has a part in the sum.
#[inline(always)]
fn parts<T: Real>(
    crew: &Crew<T>,
    l: usize,
    w: usize,
    across: bool,
    x: [&[T]; 2],
    width: usize,
) -> [Part<T>; 2] {
    let (pre, post) = (crew.ground.map.layers[l - 1], crew.ground.map.layers[l]);
    let strides = if across { (1, pre.stride()) } else { (pre.stride(), 1) };
    let depth = if across { post.len } else { pre.len };
    [(w, x[0]), (2, x[1])].map(|(which, x)| {
        let a = crew.ground.see_weights(which, l, 0..post.len).as_ptr();
        Part { a, strides, x: x.as_ptr(), stride: width, depth }
    })
}

/// Whether Ẇ into a layer enters the dynamics now.
#[inline(always)]
fn moves<T: Real>(crew: &Crew<T>, l: usize, step: Option<&StepControl>) -> bool {
    let rate = step.map_or(0.0, |step| step.rate_w * crew.plan.layers[l].factor);
    crew.plan.weights_in_dynamics && rate != 0.0
}

/// `z_pre ← ρ'·(Wᵀ z_post)` from the last layer on; with a step, of the right-hand side, which has `Ẇᵀδ` as well.
#[inline(always)]
fn backward<T: Real>(crew: &Crew<T>, p: Panel, z: Field, w: usize, step: Option<&StepControl>) {
    let ground = &crew.ground;
    for l in (1..ground.map.layers.len()).rev() {
        let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
        let field = |which, rows: Rows| ground.see(which, p, rows);
        let both = parts(crew, l, w, true, [field(z, post), field(Field::Delta, post)], p.width);
        let count = 1 + usize::from(moves(crew, l, step));
        let finish =
            Finish::Gate { gate: field(Field::D, pre).as_ptr(), out: ground.field(z, p, pre).as_mut_ptr() };
        let size = Size { rows: pre.len, cols: p.width, stride: p.width };
        // SAFETY: everything lies in the room; the panel is this thread's.
        unsafe { T::panels(size, &both[..count], &finish) };
    }
}

/// `y_post ← y_post + W (ρ' y_pre)` from the first layer on; with a step, of u̇, which has `Ẇ r̄` as well. The first layer of a direction is a
/// product with ρ' already, which is 0 or 1.
#[inline(always)]
fn forward<T: Real>(crew: &Crew<T>, p: Panel, y: Field, w: usize, step: Option<&StepControl>) {
    let ground = &crew.ground;
    for l in 1..ground.map.layers.len() {
        let (pre, post) = (ground.map.layers[l - 1], ground.map.layers[l]);
        let field = |which, rows: Rows| ground.see(which, p, rows);
        let from = if l == 1 && step.is_none() { y } else { Field::Gated };
        let both = parts(crew, l, w, false, [field(from, pre), field(Field::R, pre)], p.width);
        let count = 1 + usize::from(moves(crew, l, step));
        let finish = Finish::Add {
            out: ground.field(y, p, post).as_mut_ptr(),
            gate: field(Field::D, post).as_ptr(),
            gated: ground.field(Field::Gated, p, post).as_mut_ptr(),
        };
        let size = Size { rows: post.len, cols: p.width, stride: p.width };
        // SAFETY: as above.
        unsafe { T::panels(size, &both[..count], &finish) };
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
        let (c, back, delta) = (field(Field::Rate), field(Field::Back), field(Field::Delta));
        let (gated, d) = (field(Field::Gated), field(Field::D));
        for (k, (((c, back), delta), (gated, d))) in
            c.iter_mut().zip(back).zip(delta).zip(gated.iter_mut().zip(d)).enumerate()
        {
            let (back, delta, d) = (*back, *delta, *d);
            let bias: [T; C] = of_neurons::<T, G, C>(b_dot, p, k);
            let sum: [T; C] = each(|j| back[j] - delta[j] * inv_tau + on * bias[j]);
            *c = sum;
            *gated = each(|j| d[j] * sum[j]);
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
    let inputs = drives.zip(rates).zip(learned).zip(field(Field::Delta));
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

/// Conjugate gradients over the outputs, from u̇ as it follows from `û̇` of the outputs: with `A = 1 + √β M Mᵀ √β` the residual of
/// `A y = √β M c`, `y = √β u̇`, is `√β (u̇ − û̇)`. Where something is expected it is compared with ‖y‖, which but for the square of
/// the tolerance is not more than the right-hand side.
#[inline(always)]
fn iterate<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, p: Panel, step: &StepControl, w: usize) {
    let (ground, out) = (&crew.ground, crew.ground.map.out());
    let (beta, per) = (crew.beta(step), p.width / G);
    let res = ground.output(Output::Residual, p).as_chunks_mut::<G>().0;
    let dir = ground.output(Output::Direction, p).as_chunks_mut::<G>().0;
    let guess = ground.output(Output::Guess, p).as_chunks::<G>().0;
    let rate = ground.see(Field::Rate, p, out).as_chunks::<G>().0;
    let mut open = false;
    for g in 0..per {
        let (norm2, threshold2) =
            (crew.book::<G>(solver::RESIDUAL2, p, g), crew.book::<G>(solver::THRESHOLD2, p, g));
        let active = crew.book::<G>(lane::ACTIVE, p, g);
        *norm2 = [T::ZERO; G];
        let mut size2 = [T::ZERO; G];
        for (o, beta) in beta.iter().enumerate() {
            let (root, at) = (beta.sqrt(), o * per + g);
            let (rate, guess, sum, last) = (rate[at], guess[at], *norm2, size2);
            let now: [T; G] = each(|j| root * (rate[j] - guess[j]));
            size2 = each(|j| last[j] + root * rate[j] * (root * rate[j]));
            *norm2 = each(|j| sum[j] + now[j] * now[j]);
            (res[at], dir[at]) = (now, now);
        }
        let tol2 = T::of(crew.plan.tolerance * crew.plan.tolerance);
        for j in 0..G {
            threshold2[j] = tol2 * size2[j];
            open |= active[j] != T::ZERO && norm2[j] > threshold2[j];
        }
        *crew.book::<G>(solver::ITERATIONS, p, g) = [T::ZERO; G];
        *crew.book::<G>(solver::BENT, p, g) = [T::ZERO; G];
    }
    let mut left = crew.plan.at_most;
    while open && left > 0 {
        left -= 1;
        let way = ground.field(Field::Way, p, out).as_chunks_mut::<G>().0;
        for (k, (way, dir)) in way.iter_mut().zip(&*dir).enumerate() {
            let (root, dir) = (beta[k / per].sqrt(), *dir);
            *way = each(|j| root * dir[j]);
        }
        if G == 1 {
            single::sweep(crew, p, Field::Way, Field::Way, None);
        } else {
            backward(crew, p, Field::Way, w, None);
            forward(crew, p, Field::Way, w, None);
        }
        open = false;
        for g in 0..per {
            open |= descend::<T, G>(crew, p, g, beta, res, dir);
        }
        follow::<T, G, C>(crew, p);
    }
}

/// An iteration of a group, after its sweeps; whether any trajectory has not converged.
#[inline(always)]
fn descend<T: Real, const G: usize>(
    crew: &Crew<T>,
    p: Panel,
    g: usize,
    beta: &[T],
    res: &mut [[T; G]],
    dir: &mut [[T; G]],
) -> bool {
    let (out, per) = (crew.ground.map.out(), p.width / G);
    let rate = crew.ground.see(Field::Rate, p, out).as_chunks::<G>().0;
    let way = crew.ground.see(Field::Way, p, out).as_chunks::<G>().0;
    let norm2 = crew.book::<G>(solver::RESIDUAL2, p, g);
    let threshold2 = crew.book::<G>(solver::THRESHOLD2, p, g);
    let count = crew.book::<G>(solver::ITERATIONS, p, g);
    let bent = crew.book::<G>(solver::BENT, p, g);
    let active = crew.book::<G>(lane::ACTIVE, p, g);
    let alpha = crew.book::<G>(lane::STEP, p, g);
    let on: [bool; G] = std::array::from_fn(|j| active[j] != T::ZERO && norm2[j] > threshold2[j]);
    let mut curved = [T::ZERO; G];
    for (o, beta) in beta.iter().enumerate() {
        let (root, at) = (beta.sqrt(), o * per + g);
        let (dir, way, sum) = (dir[at], way[at], curved);
        curved = each(|j| sum[j] + dir[j] * (dir[j] + root * way[j]));
    }
    for j in 0..G {
        count[j] += if on[j] { T::ONE } else { T::ZERO };
        bent[j] = if on[j] && curved[j] <= T::ZERO { T::ONE } else { bent[j] };
        let good = on[j] && curved[j] != T::ZERO;
        alpha[j] = if good { norm2[j] / curved[j] } else { T::ZERO };
    }
    let (mut next2, mut size2) = ([T::ZERO; G], [T::ZERO; G]);
    for (o, beta) in beta.iter().enumerate() {
        let (root, at) = (beta.sqrt(), o * per + g);
        let (dir, way, sum, last, alpha) = (dir[at], way[at], next2, res[at], *alpha);
        let (rate, size) = (rate[at], size2);
        let rate: [T; G] = each(|j| root * (rate[j] - alpha[j] * way[j]));
        size2 = each(|j| size[j] + rate[j] * rate[j]);
        let now: [T; G] = each(|j| last[j] - alpha[j] * (dir[j] + root * way[j]));
        next2 = each(|j| sum[j] + now[j] * now[j]);
        res[at] = now;
    }
    let last = *norm2;
    let gain: [T; G] = each(|j| next2[j] / last[j]);
    for o in 0..out.len {
        let at = o * per + g;
        let (res, last) = (res[at], dir[at]);
        dir[at] = each(|j| if on[j] { res[j] + gain[j] * last[j] } else { last[j] });
    }
    let mut open = false;
    let tol2 = T::of(crew.plan.tolerance * crew.plan.tolerance);
    for j in 0..G {
        threshold2[j] = if G == 1 && on[j] { tol2 * size2[j] } else { threshold2[j] };
        norm2[j] = if on[j] { next2[j] } else { norm2[j] };
        open |= active[j] != T::ZERO && norm2[j] > threshold2[j];
    }
    open
}

/// `u̇ ← u̇ − α z`.
#[inline(always)]
fn follow<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, p: Panel) {
    let ground = &crew.ground;
    let alpha = ground.lane(lane::STEP, p);
    for &rows in &ground.map.layers {
        let rate = ground.chunks::<C>(Field::Rate, p, rows);
        for (k, (rate, way)) in rate.iter_mut().zip(ground.see_chunks::<C>(Field::Way, p, rows)).enumerate() {
            let (alpha, way, last): ([T; C], _, _) = (of_lanes::<T, G, C>(alpha, p, k), *way, *rate);
            *rate = each(|j| last[j] - alpha[j] * way[j]);
        }
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
