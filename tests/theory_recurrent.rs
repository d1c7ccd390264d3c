//! Closed forms of recurrent networks: linear steady states, and one neuron under an input whose raw rate is a delta.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::case::dense;
use common::gradient::simulate;
use common::oracle::{activation, solve};
use common::random::{Rng, network, parameters, setup};
use lagrange_gpu::dynamics::{Dynamics, InputMismatch, Integrator, Settings};
use lagrange_gpu::network::{Activation, Architecture, InputMode, Network, Parameters};
use lagrange_gpu::simulate::{Setup, SimulationInput};

const TAU: f64 = 10.0;

fn settings(dt_ms: f64) -> Settings {
    Settings {
        tau_ms: TAU,
        dt_ms,
        tolerance: 1e-13,
        newton_tolerance: 1e-13,
        max_iterations: 400,
        ..Settings::default()
    }
}

/// A network of an architecture, with self-connections where they are asked for.
fn linear(sizes: &[usize], architecture: Architecture, only: bool, own: bool, input: InputMode) -> Network {
    let mut net = network(sizes, &[], Activation::Linear, input);
    net.projections = architecture.projections(sizes.len(), only);
    net.projections.iter_mut().for_each(|p| p.self_connections = own && p.pre == p.post);
    net
}

const ARCHITECTURES: [Architecture; 5] = [
    Architecture::LayeredFeedbackward,
    Architecture::LayeredRecurrent,
    Architecture::LayeredRecurrentRecurrent,
    Architecture::InRecurrentOut,
    Architecture::FullyRecurrent,
];

/// Largest difference of the voltages after 60 steps of 5 ms from `want` (of the free neurons), from a random start: f is linear in u, so `exact`
/// leaves `(1 − dt/τ)⁶⁰` = 1e-18 of it.
fn off(setup: &Setup, start: &Parameters, (x, y): (&[f64], &[f64]), beta: &[f64], want: &[f64]) -> f64 {
    let net = &setup.network;
    let (steps, mut rng) = (60, Rng(3));
    let mut u0 = rng.uniforms(net.neurons(), -1.0, 1.0);
    if net.input.is_clamped() {
        u0[..x.len()].copy_from_slice(x);
    }
    let input = SimulationInput {
        steps,
        batch: 1,
        x: x.repeat(steps),
        y: y.repeat(steps),
        beta: beta.repeat(steps),
        learn: vec![false; steps],
        parameters: start.clone(),
        u0,
        x_prev: x.to_vec(),
        y_prev: y.to_vec(),
        ..SimulationInput::default()
    };
    let out = simulate(setup, &input);
    assert!(out.solver_steps.iter().all(|s| s.unconverged == 0 && s.indefinite == 0));
    let got = &out.u[59 * net.neurons() + net.free().start..];
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max)
}

fn one(i: usize, j: usize) -> f64 {
    f64::from(u8::from(i == j))
}

/// β = 0, nothing projects into a clamped input: `u = (1 − W)⁻¹ (b + W_in x)`, or `(1 − W)⁻¹ (b + x)` where the input is driven.
#[test]
fn a_linear_network_settles_on_its_closed_form() {
    let mut rng = Rng(51);
    for (architecture, own) in ARCHITECTURES.into_iter().flat_map(|a| [(a, false), (a, true)]) {
        for input in [InputMode::Clamped, InputMode::Driven, InputMode::Rates] {
            let net = linear(&[3, 5, 4, 2], architecture, input.is_clamped(), own, input);
            let setup = setup(net, settings(5.0));
            let (net, start) = (&setup.network, parameters(&setup.network, 0.15, &mut rng));
            let (n, first) = (net.neurons(), net.free().start);
            let (x, y) = (rng.uniforms(3, 0.0, 1.0), rng.uniforms(2, 0.0, 1.0));
            let w = dense(net, &start.weights);
            let m = n - first;
            let j = (0..m * m).map(|k| one(k / m, k % m) - w[(k / m + first) * n + k % m + first]).collect();
            let received = |i: usize| -> f64 {
                let clamped: f64 = (0..first).map(|k| w[i * n + k] * x[k]).sum();
                clamped + start.biases[i] + if first == 0 && i < 3 { x[i] } else { 0.0 }
            };
            let want = solve(j, (first..n).map(received).collect());
            let off = off(&setup, &start, (&x, &y), &[0.0; 2], &want);
            // Rounding, and the solver's 1e-13, times the condition of H (below 100 at these weights).
            assert!(off < 1e-11, "{architecture:?} {own} {input:?}: {off:e}");
        }
    }
}

/// Nudged, and with projections into a clamped input: the steady state minimises `½‖A u − c‖² + ½ Σ β_o (u*_o − u_o)²`, A the columns of `1 − W` of the
/// free neurons and c what the others and the drive leave, so that `(AᵀA + β) u = Aᵀc + β u*`.
#[test]
fn a_nudged_linear_network_minimises_its_energy() {
    let mut rng = Rng(53);
    for architecture in ARCHITECTURES {
        for input in [InputMode::Clamped, InputMode::Driven] {
            for (name, input_mismatch) in InputMismatch::NAMES {
                let net = linear(&[3, 5, 4, 2], architecture, false, true, input);
                let setup = setup(net, Settings { input_mismatch, ..settings(5.0) });
                let (net, start) = (&setup.network, parameters(&setup.network, 0.15, &mut rng));
                let (n, first) = (net.neurons(), net.free().start);
                let (x, y, beta) = (rng.uniforms(3, 0.0, 1.0), rng.uniforms(2, 0.0, 1.0), [0.8, 3.0]);
                let w = dense(net, &start.weights);
                let column = |j: usize| -> Vec<f64> { (0..n).map(|i| one(i, j) - w[i * n + j]).collect() };
                let mut c = start.biases.clone();
                // A clamped input that predicts has no drive.
                if first == 0 || input_mismatch == InputMismatch::Drive {
                    c.iter_mut().zip(&x).for_each(|(c, x)| *c += x);
                }
                for (j, x) in x.iter().enumerate().take(first) {
                    c.iter_mut().zip(column(j)).for_each(|(c, a)| *c -= a * x);
                }
                // What nothing projects into is prescribed, and no matter of the energy.
                let reached = net.rows().start;
                let a: Vec<Vec<f64>> = (first..n).map(|j| column(j)[reached..].to_vec()).collect();
                let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let m = a.len();
                let mut h: Vec<f64> = (0..m * m).map(|k| dot(&a[k / m], &a[k % m])).collect();
                let mut right: Vec<f64> = a.iter().map(|a| dot(a, &c[reached..])).collect();
                for o in 0..2 {
                    h[(m - 2 + o) * (m + 1)] += beta[o];
                    right[m - 2 + o] += beta[o] * y[o];
                }
                let off = off(&setup, &start, (&x, &y), &beta, &solve(h, right));
                assert!(off < 1e-11, "{architecture:?} {input:?} {name}: {off:e}");
            }
        }
    }
}

/// An input neuron of rate x and one neuron with a weight onto itself, from rest at x = 0 without bias.
struct Neuron {
    kind: Activation,
    own: f64,
    input: f64,
}

impl Neuron {
    /// `v = u − W ρ(u)` after each step while x follows `x`, one value a step, from x = 0 on.
    fn v(&self, settings: Settings, x: Vec<f64>) -> Vec<f64> {
        let mut net = network(&[1, 1], &[(0, 1), (1, 1)], self.kind, InputMode::Rates);
        net.projections[1].self_connections = true;
        let start = Parameters {
            weights: vec![vec![self.input], vec![self.own]],
            biases: vec![0.0; 2],
            ..Parameters::default()
        };
        let mut rest = 0.0;
        for _ in 0..10_000 {
            rest = self.own * activation(self.kind, rest)[0];
        }
        let (setup, steps) = (setup(net, settings), x.len());
        let input = SimulationInput {
            steps,
            batch: 1,
            x,
            y: vec![0.0; steps],
            beta: vec![0.0; steps],
            learn: vec![false; steps],
            parameters: start,
            u0: vec![0.0, rest],
            x_prev: vec![0.0],
            y_prev: vec![0.0],
            ..SimulationInput::default()
        };
        let out = simulate(&setup, &input);
        out.u.chunks_exact(2).map(|u| u[1] - self.own * activation(self.kind, u[1])[0]).collect()
    }
}

/// `x = e^{−t/τ}/τ` from t = 0 on: `x + τ ẋ` is a delta.
fn decaying(dt: f64, ms: f64) -> Vec<f64> {
    (0..(ms / dt).round() as usize).map(|t| (-(t as f64) * dt / TAU).exp() / TAU).collect()
}

fn neurons() -> Vec<Neuron> {
    let mut all = Vec::new();
    for (kind, own) in [
        (Activation::Sigmoid, 0.0),
        (Activation::Linear, 0.0),
        (Activation::Linear, 0.6),
        (Activation::Linear, -0.8),
        (Activation::Sigmoid, 2.5),
        (Activation::Sigmoid, -3.0),
        (Activation::Tanh, 0.7),
        (Activation::Softplus, 0.5),
    ] {
        all.extend([4.0, -6.0].map(|input| Neuron { kind, own, input }));
    }
    all
}

/// A delta in the raw rate: v jumps by W_in/τ, then decays with τ. `equilibrium` keeps f = J δ = 0 through the jump, to its Newton tolerance over J,
/// which is above 0.2 for these weights. `exact` does where v is linear in u.
#[test]
fn a_delta_in_the_raw_rate_makes_v_jump_and_decay() {
    for dt in [0.1, 1.0, 5.0] {
        let x = decaying(dt, 30.0);
        for neuron in neurons() {
            let linear = neuron.own == 0.0 || neuron.kind == Activation::Linear;
            let schemes = if linear {
                &[Integrator::Exact, Integrator::Equilibrium][..]
            } else {
                &[Integrator::Equilibrium]
            };
            for &integrator in schemes {
                let v = neuron.v(Settings { integrator, ..settings(dt) }, x.clone());
                let name = format!("{} {} {} {dt} ms", integrator.name(), neuron.kind.name(), neuron.own);
                assert!((v[0] - neuron.input / TAU).abs() < 1e-12, "{name}: a jump to {}", v[0]);
                for (t, v) in v.iter().enumerate() {
                    let want = neuron.input / TAU * (-(t as f64) * dt / TAU).exp();
                    assert!((v - want).abs() < 1e-12, "{name}, step {t}: {v} for {want}");
                }
            }
        }
    }
}

/// Where ρ is curved, Euler's straight step over the jump misses by `½ W ρ'' Δu²`, whatever dt is. Over a rise that takes 1 ms the steps resolve
/// it: the error, at the end of the rise and 10 ms later, halves with dt (the next order is dt/1 ms of it: 1.7 to 2.3 is asked).
#[test]
fn exact_follows_a_steep_rise_at_first_order() {
    for neuron in neurons() {
        if neuron.own == 0.0 || neuron.kind == Activation::Linear {
            continue;
        }
        let error = [0.05, 0.025, 0.0125].map(|dt: f64| {
            let rise = (1.0 / dt).round() as usize;
            let mut x: Vec<f64> = (1..rise).map(|t| t as f64 / rise as f64 / TAU).collect();
            x.extend(decaying(dt, 11.0));
            let v = neuron.v(settings(dt), x.clone());
            let later = rise - 1 + (10.0 / dt).round() as usize;
            [rise - 1, later].map(|t| (v[t] - neuron.input * x[t]).abs())
        });
        println!("{} {} {}: {error:?}", neuron.kind.name(), neuron.own, neuron.input);
        for pair in error.windows(2) {
            for (coarse, fine) in pair[0].iter().zip(&pair[1]) {
                let ratio = coarse / fine;
                assert!((1.7..2.3).contains(&ratio), "{} {}: {ratio}", neuron.kind.name(), neuron.own);
            }
        }
        // ½ |W| max|ρ''| Δu² of a single step, with ρ'' below 0.8 for all of these and Δu = W_in/τ/J.
        let bound = 0.5 * neuron.own.abs() * 0.8 * (neuron.input / TAU / 0.2).powi(2);
        assert!(error[0][0] < bound, "{error:?}");
    }
}

/// Without look-ahead, and without a weight onto itself, `τ u̇ = −u + W_in x`: the delta becomes `W_in t e^{−t/τ}/τ²`, which is largest at τ. Euler
/// steps with the new x give `k W_in/τ Σ (1 − k)^{n−i} e^{−ki}`, k = dt/τ: an error of first order in dt.
#[test]
fn without_look_ahead_the_delta_is_smeared() {
    let neuron = Neuron { kind: Activation::Sigmoid, own: 0.0, input: 4.0 };
    let error = [0.1, 0.05].map(|dt: f64| {
        let settings = Settings { dynamics: Dynamics::GradientFlow, ..settings(dt) };
        let v = neuron.v(settings, decaying(dt, 30.0));
        let at = |t: f64| v[(t / dt).round() as usize];
        [5.0, 10.0, 20.0].map(|t| at(t) - neuron.input * t * (-t / TAU).exp() / (TAU * TAU))
    });
    for (coarse, fine) in error[0].iter().zip(&error[1]) {
        assert!((1.9..2.1).contains(&(coarse / fine)), "{error:?}");
        assert!(fine.abs() < 0.05 * neuron.input / (TAU * TAU), "{error:?}");
    }
}
