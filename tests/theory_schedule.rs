//! Learning-rate schedules in simulated time, against sums in closed form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::gradient::simulate;
use common::random::{Rng, chain, constant, parameters, setup};
use lagrange_gpu::dynamics::Settings;
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::schedule::{RateStep, Schedule};
use lagrange_gpu::simulate::Setup;

const STEPS: usize = 60;
const DT: f64 = 0.5;
const TAU: f64 = 10.0;

/// A factor as a function of time.
type Factor = Box<dyn Fn(f64) -> f64>;

/// s(t) by its definition, in a run of 30 ms: no rounding at the times of steps, which are binary fractions.
fn factors() -> Vec<(Schedule, Factor)> {
    let steps = [(4.0, 0.5), (20.0, 0.0)].map(|(at_ms, factor)| RateStep { at_ms, factor });
    let rise = |t: f64, f: f64| if t < 5.0 { t / 5.0 } else { f };
    let cosine = |t: f64, from: f64, to: f64| {
        let share = ((t - from) / (to - from)).min(1.0);
        0.25 + 0.75 * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
    };
    let of = |duration_ms, warm_up_ms| Schedule::Cosine { duration_ms, final_factor: 0.25, warm_up_ms };
    vec![
        (Schedule::Constant, Box::new(|_| 1.0)),
        (
            Schedule::Step(steps.to_vec()),
            Box::new(|t| if t < 4.0 { 1.0 } else { f64::from(u8::from(t < 20.0)) * 0.5 }),
        ),
        (of(None, 0.0), Box::new(move |t| cosine(t, 0.0, 30.0))),
        (of(Some(12.0), 5.0), Box::new(move |t| rise(t, cosine(t, 5.0, 12.0)))),
    ]
}

/// Two populations and a start with δ ≠ 0 at β = 0: `δₙ = (1 − dt/τ)ⁿ δ₀` whatever is learned (see `theory_learning`), so the weights gain
/// `dt Σ s(n dt) η δₙ r̄ᵀ`, the biases `dt Σ s(n dt) η_b δₙ`. What is left is rounding: 60 terms of order 0.01.
#[test]
fn what_is_learned_follows_the_schedule() {
    for (schedule, factor) in factors() {
        let mut rng = Rng(21);
        let settings = Settings { tau_ms: TAU, dt_ms: DT, tolerance: 1e-14, ..Settings::default() };
        let plain = setup(chain(&[3, 2], Activation::Sigmoid, InputMode::Rates), settings);
        let setup = Setup { schedule: schedule.clone(), ..plain };
        let start = parameters(&setup.network, 0.4, &mut rng);
        let x = rng.uniforms(3, 0.1, 0.9);
        let mut run = constant(&setup, start.clone(), &x, &[0.0, 0.0], 0.0, STEPS);
        run.learn.fill(true);
        let delta = [0.5, -0.7];
        run.u0[3] += delta[0];
        run.u0[4] += delta[1];
        let out = simulate(&setup, &run);
        let term = |n: usize| factor(n as f64 * DT) * DT * (1.0 - DT / TAU).powi(n as i32);
        let share: f64 = (0..STEPS).map(term).sum();
        for (o, delta) in delta.iter().enumerate() {
            for (i, x) in x.iter().enumerate() {
                let want = start.weights[0][o * 3 + i] + setup.rate_w * share * delta * x;
                let got = out.end.weights[0][o * 3 + i];
                assert!((got - want).abs() < 1e-13, "{schedule}: {got} for {want}");
            }
            let want = start.biases[3 + o] + setup.rate_b * share * delta;
            assert!((out.end.biases[3 + o] - want).abs() < 1e-13, "{schedule}");
        }
    }
}
