//! CPU twin of `shaders/stimulus.wgsl`; the equation stands in [`crate::kernels::stimulus`].

use super::{Lane, Real, status};
use crate::kernels::stimulus::{Args, Source};
use crate::plan::{Buf, StepControl};

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let (x, y) = match a.source {
        Source::Ramp { x_old, x_new, y_old, y_new } => ((x_old, Some(x_new)), (y_old, Some(y_new))),
        Source::Sequence { x, y } => ((x, None), (y, None)),
    };
    follow(s, a, step, y, (a.y, a.y_dot), false);
    if !a.input {
        return;
    }
    follow(s, a, step, x, (a.x, a.x_dot), true);
    if let Some(clamp) = a.clamp {
        follow_input(s, a.x, clamp, a.dt_ms);
    }
}

/// `u̇_in = (x − u_in)/dt` of a clamped input population, whose u and u̇ are given.
#[inline(always)]
pub(super) fn follow_input<T: Real>(s: &mut Lane<T>, x: Buf, (u, u_dot): (Buf, Buf), dt_ms: f64) {
    let mut rate = s.take(u_dot);
    let (n, n_in) = (s.cols(u), s.cols(x));
    let (x, u, inv_dt) = (s.get(x), s.get(u), T::of(1.0 / dt_ms));
    for (b, row) in rate.chunks_exact_mut(n).enumerate() {
        let now = &u[b * n..b * n + n_in];
        for ((rate, &x), &u) in row.iter_mut().zip(&x[b * n_in..(b + 1) * n_in]).zip(now) {
            *rate = (x - u) * inv_dt;
        }
    }
    s.put(u_dot, rate);
}

/// Present value and backward difference of one of the two signals.
#[inline(always)]
fn follow<T: Real>(
    s: &mut Lane<T>,
    a: &Args,
    step: &StepControl,
    (first, second): (Buf, Option<Buf>),
    (value, rate): (Buf, Buf),
    check: bool,
) {
    let n = s.cols(value);
    let (mut value_v, mut rate_v) = (s.take(value), s.take(rate));
    let mut word = s.take_words(a.status);
    let (active, inv_dt, ramp) = (s.get(a.active), T::of(1.0 / a.dt_ms), T::of(step.ramp));
    let from = match second {
        Some(_) => 0,
        // A sequence has a row of all trajectories for each time step.
        None => (step.row as usize * s.whole_batch() + s.rows().start) * n,
    };
    let old = &s.get(first)[from..from + value_v.len()];
    let new = second.map(|b| s.get(b));
    let neurons = s.neurons();
    for b in 0..active.len() {
        let row = b * n..(b + 1) * n;
        if active[b] == T::ZERO {
            rate_v[row].fill(T::ZERO);
            continue;
        }
        let old = &old[row.clone()];
        let (value, rate) = (&mut value_v[row.clone()], &mut rate_v[row.clone()]);
        match new {
            Some(new) => {
                for (((v, d), &o), &w) in value.iter_mut().zip(rate).zip(old).zip(&new[row]) {
                    let next = o + (w - o) * ramp;
                    *d = (next - *v) * inv_dt;
                    *v = next;
                }
            }
            None => {
                for ((v, d), &next) in value.iter_mut().zip(rate).zip(old) {
                    *d = (next - *v) * inv_dt;
                    *v = next;
                }
            }
        }
        let value = &value_v[b * n..(b + 1) * n];
        if let Some(i) = value.iter().position(|v| !v.finite()) {
            // A target that is not finite is named as neuron N + output.
            let neuron = if check { i } else { neurons + i };
            status::note(&mut word, status::INPUT, active.len(), b, step.index, neuron, neurons);
        }
    }
    s.put(value, value_v);
    s.put(rate, rate_v);
    s.put_words(a.status, word);
}
