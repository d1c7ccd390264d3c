//! CPU twin of `shaders/resident_learn.wgsl`; the equation stands in [`crate::kernels::resident_learn`].

use super::{Lane, Real, product};
use crate::kernels::resident_learn::Args;
use crate::plan::{Cols, StepControl};

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let rate = step.rate_w * a.factor;
    let (batch, len) = (s.batch(), a.cols.len);
    let mut rates = s.take_room(if rate == 0.0 { 0 } else { 2 * batch * len });
    if rate != 0.0 {
        overlap_rates(s, a, step, T::of(rate), &mut rates);
        mark(s, a, step, T::of(rate));
    }
    let n = s.cols(a.c);
    let (mut c, mut v_old, mut v_new) = (s.take(a.c), s.take(a.v_old), s.take(a.v_new));
    let (before, now) = (T::of(1.0 - step.ramp_prev), T::of(step.ramp_prev));
    let ramp_dot = T::of((step.ramp - step.ramp_prev) / a.dt_ms);
    let dt = T::of(a.dt_ms);
    for b in 0..batch {
        let range = b * n + a.cols.start..b * n + a.cols.end();
        let (c, old, new) = (&mut c[range.clone()], &mut v_old[range.clone()], &mut v_new[range]);
        for ((c, &old), &new) in c.iter_mut().zip(&*old).zip(&*new) {
            *c += ramp_dot * (new - old);
        }
        if rate == 0.0 {
            continue;
        }
        let (rate_old, rate_new) = rates[2 * b * len..2 * (b + 1) * len].split_at(len);
        if a.in_dynamics {
            for ((c, &old), &new) in c.iter_mut().zip(rate_old).zip(rate_new) {
                *c += before * old + now * new;
            }
        }
        old.iter_mut().zip(rate_old).for_each(|(v, &r)| *v += dt * r);
        new.iter_mut().zip(rate_new).for_each(|(v, &r)| *v += dt * r);
    }
    s.put(a.c, c);
    s.put(a.v_old, v_old);
    s.put(a.v_new, v_new);
    s.put_room(rates);
}

/// v̇_old and v̇_new, a row `[2, len]` for each trajectory.
#[inline(always)]
fn overlap_rates<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl, rate: T, rates: &mut [T]) {
    let (n, batch, all, len) = (s.cols(a.delta), s.batch(), s.whole_batch(), a.cols.len);
    let first = s.rows().start;
    let (before, now) = (T::of(1.0 - step.ramp_prev), T::of(step.ramp_prev));
    let mut overlaps = s.take_operand(2 * batch * all);
    let [oo, on, nn] = a.gram.map(|g| s.whole(g));
    let (with_old, with_new) = overlaps.split_at_mut(batch * all);
    for b in 0..batch {
        for i in 0..all {
            // r̄_i · r_old_b and r̄_i · r_new_b; old·old and new·new are symmetric, new·old is old·new transposed.
            let (k, j) = (b * all + i, (first + b) * all + i);
            with_old[k] = before * oo[j] + now * on[j];
            with_new[k] = before * on[i * all + first + b] + now * nn[j];
        }
    }
    for (half, overlap) in [(0, &*with_old), (len, &*with_new)] {
        product::multiply(
            product::How { rows: all, padded: false, alone: s.alone() },
            (batch, all, len),
            rate,
            product::View { data: overlap, strides: (all, 1) },
            product::View { data: &s.whole(a.delta)[a.cols.start..], strides: (n, 1) },
            T::ZERO,
            product::ViewMut { data: &mut rates[half..], stride: 2 * len },
        );
    }
    s.put_operand(overlaps);
}

/// Books what the update of W at the end of the presentation needs.
#[inline(always)]
fn mark<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl, rate: T) {
    let share = rate * T::of(a.dt_ms);
    let (before, now) = (share * T::of(1.0 - step.ramp_prev), share * T::of(step.ramp_prev));
    let Cols { start, len } = a.cols;
    let n = s.cols(a.delta);
    for (buf, factor) in [(a.a_old, before), (a.a_new, now)] {
        let mut sum = s.take(buf);
        let delta = s.get(a.delta);
        for (row, delta) in sum.chunks_exact_mut(n).zip(delta.chunks_exact(n)) {
            for (sum, &d) in row[start..start + len].iter_mut().zip(&delta[start..start + len]) {
                *sum += factor * d;
            }
        }
        s.put(buf, sum);
    }
}
