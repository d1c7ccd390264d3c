//! What plasticity learns: the gradient of the cost, and nothing where there is nothing to learn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::gradient::{descent, simulate, taught};
use common::random::{Rng, chain, constant, network, parameters, setup, sines};
use lagrange_gpu::dynamics::Settings;
use lagrange_gpu::network::{Activation, InputMode, Parameters};
use lagrange_gpu::simulate::{Setup, SimulationInput, SimulationOutput};

fn settings(dt_ms: f64) -> Settings {
    Settings { tau_ms: 10.0, dt_ms, tolerance: 1e-14, max_iterations: 400, ..Settings::default() }
}

/// `lim_{β→0} δ r̄ᵀ/β = −dC/dW`, with an error O(β): halving β halves it.
#[test]
fn plasticity_is_gradient_descent_as_beta_vanishes() {
    gradients(11, &[(0, 1), (1, 2), (2, 3), (1, 3)], false);
}

/// The same with cycles, with and without weights of neurons onto themselves: of C in the steady state that the cycles bring about.
#[test]
fn plasticity_is_gradient_descent_with_cycles() {
    let edges = [(0, 1), (1, 2), (2, 3), (2, 1), (3, 2), (1, 1), (2, 2), (3, 3)];
    gradients(12, &edges, false);
    gradients(13, &edges, true);
}

fn gradients(seed: u64, edges: &[(usize, usize)], themselves: bool) {
    let mut rng = Rng(seed);
    for kind in [Activation::Tanh, Activation::Sigmoid] {
        for input in [InputMode::Clamped, InputMode::Rates, InputMode::Driven] {
            let mut net = network(&[3, 5, 4, 2], edges, kind, input);
            for p in net.projections.iter_mut().filter(|p| p.pre == p.post) {
                p.self_connections = themselves;
            }
            // Cycles of weights this size still have a steady state that sweeps converge to.
            let std = if net.is_feedforward() { 0.6 } else { 0.25 };
            let setup = Setup { rate_w: 1.0, rate_b: 1.0, ..setup(net, settings(5.0)) };
            let at = parameters(&setup.network, std, &mut rng);
            let (x, y) = (rng.uniforms(9, -0.8, 0.8), rng.uniforms(6, -0.8, 0.8));
            let mut want = descent(&setup.network, &at, &x, &y);
            let size = want.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            let error = |beta: f64| {
                let got = taught(&setup, &at, &x, &y, beta);
                got.iter().zip(&want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max)
            };
            let errors = [0.008, 0.004, 0.002, 0.001].map(error);
            println!("{} {input:?}: {errors:?} of {size:.3}", kind.name());
            for pair in errors.windows(2) {
                let ratio = pair[0] / pair[1];
                assert!((1.9..2.1).contains(&ratio), "{} {input:?}: error ratio {ratio}", kind.name());
            }
            assert!(errors[3] < 0.02 * size, "{} {input:?}: {errors:?} of {size}", kind.name());
            // Extrapolated to β = 0 what is left is of second order.
            let (a, b) = (taught(&setup, &at, &x, &y, 0.001), taught(&setup, &at, &x, &y, 0.002));
            let limit = a.iter().zip(&b).map(|(a, b)| 2.0 * a - b);
            want.iter_mut().zip(limit).for_each(|(w, l)| *w -= l);
            let left = want.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            println!("  extrapolated: {left:e}");
            assert!(left < 0.02 * errors[3], "{} {input:?}: {left:e} is left", kind.name());
        }
    }
}

/// Largest change of any weight or bias.
fn change(out: &SimulationOutput, from: &Parameters) -> f64 {
    let pairs = out.end.weights.iter().flatten().zip(from.weights.iter().flatten());
    let biases = out.end.biases.iter().zip(&from.biases);
    pairs.chain(biases).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// At β = 0, f = 0 stays 0: nothing is learned but rounding. Constant input for curved ρ; for linear ρ the steps follow a moving input
/// without error too.
#[test]
fn nothing_is_learned_at_rest_without_nudging() {
    let mut rng = Rng(13);
    for (kind, input, moves) in [
        (Activation::Tanh, InputMode::Clamped, false),
        (Activation::HardSigmoid, InputMode::Clamped, false),
        (Activation::Sigmoid, InputMode::Driven, false),
        (Activation::Linear, InputMode::Clamped, true),
    ] {
        let setup = setup(chain(&[3, 5, 4, 2], kind, input), settings(0.5));
        let start = parameters(&setup.network, 0.4, &mut rng);
        let (x, y) = (rng.uniforms(6, 0.1, 0.9), rng.uniforms(4, 0.0, 1.0));
        let mut run = constant(&setup, start.clone(), &x, &y, 0.0, 200);
        run.learn.fill(true);
        if moves {
            for (at, x) in run.x.iter_mut().enumerate() {
                *x += 0.3 * ((at / 6 + 1) as f64 * 0.05).sin();
            }
        }
        let out = simulate(&setup, &run);
        // 200 steps of dt η δ r̄ with δ of a few 1e-16 (moving: of the rounding of dt·u̇).
        assert!(change(&out, &start) < 1e-13, "{}: {:e}", kind.name(), change(&out, &start));
        assert!(out.f_norm.iter().all(|f| *f < 1e-13));
    }
}

/// At β = 0 a start with δ ≠ 0 teaches until f has decayed. Two populations, clamped constant input: u̇ = −δ/τ + Ẇ r̄ + ḃ, so
/// `δₙ = (1 − dt/τ)ⁿ δ₀` whatever is learned, and the weights gain `η dt Σ δₙ r̄ᵀ = η τ (1 − (1 − dt/τ)ᴺ) δ₀ r̄ᵀ`.
#[test]
fn a_start_off_equilibrium_teaches_by_its_closed_form() {
    let mut rng = Rng(15);
    for kind in Activation::NAMES.map(|(_, a)| a) {
        let setup = setup(chain(&[3, 2], kind, InputMode::Rates), settings(0.5));
        let start = parameters(&setup.network, 0.4, &mut rng);
        let (x, y) = (rng.uniforms(3, 0.1, 0.9), [0.0, 0.0]);
        let mut run = constant(&setup, start.clone(), &x, &y, 0.0, 60);
        run.learn.fill(true);
        let delta = [0.5, -0.7];
        run.u0[3] += delta[0];
        run.u0[4] += delta[1];
        let out = simulate(&setup, &run);
        let share = 10.0 * (1.0 - 0.95_f64.powi(60));
        for (o, delta) in delta.iter().enumerate() {
            for (i, x) in x.iter().enumerate() {
                let want = start.weights[0][o * 3 + i] + setup.rate_w * share * delta * x;
                let got = out.end.weights[0][o * 3 + i];
                assert!((got - want).abs() < 1e-13, "{}: {got} for {want}", kind.name());
            }
            let want = start.biases[3 + o] + setup.rate_b * share * delta;
            assert!((out.end.biases[3 + o] - want).abs() < 1e-13);
        }
        assert!(change(&out, &start) > 0.05);
    }
}

/// A trajectory without a sample neither moves nor teaches: the others behave as if it were not there.
#[test]
fn an_inactive_trajectory_neither_moves_nor_teaches() {
    let mut rng = Rng(19);
    for (kind, integrator) in
        [(Activation::Sigmoid, "exact"), (Activation::HardSigmoid, "exact"), (Activation::Tanh, "euler")]
    {
        let mut settings = settings(0.5);
        settings.integrator =
            lagrange_gpu::dynamics::Integrator::NAMES.into_iter().find(|(n, _)| *n == integrator).unwrap().1;
        let setup = setup(chain(&[3, 5, 2], kind, InputMode::Clamped), settings);
        let start = parameters(&setup.network, 0.2, &mut rng);
        let mut all = sines(&setup, start, 3, 40, &mut rng);
        all.active = Some(vec![true, false, true]);
        let out = simulate(&setup, &all);
        let n = setup.network.neurons();
        for t in 0..40 {
            let at = (t * 3 + 1) * n;
            assert_eq!(out.u[at..at + n], all.u0[n..2 * n], "{} step {t}", kind.name());
            assert!(out.u_dot[at..at + n].iter().all(|v| *v == 0.0));
        }
        let without = |data: &[f64], width: usize| -> Vec<f64> {
            let rows = data.chunks_exact(width).enumerate().filter(|(i, _)| i % 3 != 1);
            rows.flat_map(|(_, row)| row.to_vec()).collect()
        };
        let pair = SimulationInput {
            batch: 2,
            x: without(&all.x, 3),
            y: without(&all.y, 2),
            u0: without(&all.u0, n),
            x_prev: without(&all.x_prev, 3),
            y_prev: without(&all.y_prev, 2),
            active: None,
            ..all.clone()
        };
        let want = simulate(&setup, &pair);
        let kept = without(&out.u, n);
        let most = kept.iter().zip(&want.u).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // Products of another height may be summed in another order; the solver stops at 1e-14.
        assert!(most < 1e-12, "{}: {most:e}", kind.name());
        let diff = out.end.weights.iter().flatten().zip(want.end.weights.iter().flatten());
        assert!(diff.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-12);
        assert!(change(&out, &all.parameters) > 1e-4, "the others teach");
    }
}
