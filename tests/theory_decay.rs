//! `(1 + τ d/dt) f = 0`: the least-action dynamics forgets its mismatch with the membrane time constant, whatever the input does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::oracle::{activation, solve, times, transposed};
use common::random::{Rng, chain, constant, network, parameters, setup};
use lagrange_gpu::dynamics::Settings;
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};

const TAU: f64 = 10.0;

fn settings(dt_ms: f64) -> Settings {
    Settings { tau_ms: TAU, dt_ms, tolerance: 1e-13, max_iterations: 400, ..Settings::default() }
}

fn simulate(setup: &Setup, input: &SimulationInput) -> SimulationOutput {
    let out = run(setup, &Device::Cpu(Precision::F64), input, &Record::default()).unwrap();
    assert_eq!(out.stop, None);
    out
}

/// Constant x and u*, linear ρ: f is linear in u, so `f(u + dt u̇) = f + dt H u̇ = f − (dt/τ) f`: exactly `(1 − dt/τ)ⁿ`.
#[test]
fn decay_of_a_linear_network_is_a_power() {
    let mut rng = Rng(1);
    for input in [InputMode::Clamped, InputMode::Driven] {
        for dt in [0.5, 5.0, 15.0] {
            let setup = setup(chain(&[3, 5, 4, 2], Activation::Linear, input), settings(dt));
            let start = parameters(&setup.network, 0.3, &mut rng);
            let (x, y) = (rng.uniforms(6, 0.0, 1.0), rng.uniforms(4, 0.0, 1.0));
            let mut run = constant(&setup, start, &x, &y, 0.5, 30);
            // Off the steady state; clamped inputs stay on x.
            let first = if input == InputMode::Clamped { 3 } else { 0 };
            for u in run.u0.chunks_exact_mut(14) {
                u[first..].iter_mut().for_each(|u| *u += rng.uniform(-1.0, 1.0));
            }
            let out = simulate(&setup, &run);
            for t in 0..30 {
                for b in 0..2 {
                    let want = out.f_entry_norm[b] * (1.0 - dt / TAU).abs().powi(t as i32 + 1);
                    let got = out.f_norm[t * 2 + b];
                    // The solver's 1e-13 and rounding, relative to the f of the start.
                    assert!(
                        (got - want).abs() < 1e-11 * out.f_entry_norm[b],
                        "{dt} ms, step {t}: {got} for {want}"
                    );
                }
            }
        }
    }
}

/// ‖f‖ at 20 ms over ‖f‖ at 0, for a tanh network whose clamped input and target follow `moving`.
fn left_after_20_ms(dt: f64, moving: f64) -> f64 {
    let mut rng = Rng(3);
    let setup = setup(chain(&[3, 6, 5, 2], Activation::Tanh, InputMode::Clamped), settings(dt));
    let start = parameters(&setup.network, 0.4, &mut rng);
    let steps = (20.0 / dt).round() as usize;
    let (x, y) = (rng.uniforms(3, 0.2, 0.8), rng.uniforms(2, -0.5, 0.5));
    let mut run = constant(&setup, start, &x, &y, 0.5, steps);
    for t in 0..steps {
        // x moves from the first step on; the value before it is x(0).
        let time = (t + 1) as f64 * dt;
        for i in 0..3 {
            run.x[t * 3 + i] +=
                moving * 0.3 * (time / 6.0 + i as f64).sin() - moving * 0.3 * (i as f64).sin();
        }
        for o in 0..2 {
            run.y[t * 2 + o] += moving * 0.2 * (time / 8.0).sin();
        }
    }
    run.u0[3..].iter_mut().for_each(|u| *u += rng.uniform(-0.6, 0.6));
    let out = simulate(&setup, &run);
    out.f_norm[steps - 1] / out.f_entry_norm[0]
}

/// With curved ρ the Euler steps are of first order: the error against `e^{−t/τ}` halves with dt.
#[test]
fn decay_tends_to_the_exponential_at_first_order() {
    let want = (-20.0 / TAU).exp();
    for moving in [0.0, 1.0] {
        let error = [0.4, 0.2, 0.1, 0.05].map(|dt| left_after_20_ms(dt, moving) - want);
        println!("moving {moving}: errors {error:?}");
        for pair in error.windows(2) {
            let ratio = pair[0] / pair[1];
            assert!((1.8..2.2).contains(&ratio), "moving {moving}: error ratio {ratio}");
        }
        // (1 − dt/τ)^{t/dt} itself is off by −e^{−t/τ}·t·dt/(2τ²) = −6.8e-4 at 0.05 ms and 20 ms; the curvature of ρ adds to it.
        assert!((error[3] + want * 20.0 * 0.05 / (2.0 * TAU * TAU)).abs() < 2e-4, "{error:?}");
    }
}

/// The steady state of a linear network minimises `½‖u − W u − b − x‖² + ½ β ‖u* − u_o‖²`: with J = 1 − W of the free neurons and s
/// what they receive from clamped inputs, b and x, `(JᵀJ + β P) u = Jᵀ s + β P u*`.
#[test]
fn linear_steady_state_has_its_closed_form() {
    let mut rng = Rng(7);
    let edges = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)];
    for input in [InputMode::Clamped, InputMode::Driven] {
        let net = network(&[3, 5, 4, 2], &edges, Activation::Linear, input);
        let setup = setup(net, settings(5.0));
        let start = parameters(&setup.network, 0.3, &mut rng);
        let w = common::case::dense(&setup.network, &start.weights);
        let (n, beta) = (14, 0.8);
        let (x, y) = (rng.uniforms(3, 0.0, 1.0), rng.uniforms(2, 0.0, 1.0));
        let free = if input == InputMode::Clamped { 3 } else { 0 };
        let mut s = start.biases.clone();
        if free == 0 {
            s.iter_mut().zip(&x).for_each(|(s, x)| *s += x);
        } else {
            let mut clamped = vec![0.0; n];
            clamped[..3].copy_from_slice(&x);
            s.iter_mut().zip(times(&w, &clamped)).for_each(|(s, v)| *s += v);
        }
        let m = n - free;
        let one = |i: usize, j: usize| f64::from(u8::from(i == j));
        let j: Vec<f64> =
            (0..m * m).map(|at| one(at / m, at % m) - w[(at / m + free) * n + at % m + free]).collect();
        let mut h: Vec<f64> = (0..m)
            .flat_map(|i| {
                let column: Vec<f64> = (0..m).map(|k| j[k * m + i]).collect();
                transposed(&j, &column)
            })
            .collect();
        let mut right = transposed(&j, &s[free..]);
        for o in 0..2 {
            h[(m - 2 + o) * m + m - 2 + o] += beta;
            right[m - 2 + o] += beta * y[o];
        }
        let want = solve(h, right);
        let out = simulate(&setup, &constant(&setup, start, &x, &y, beta, 60));
        let got = &out.u[59 * n + free..];
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            // (1 − dt/τ)^60 = 1e-18 is left of the start: rounding alone.
            assert!((got - want).abs() < 1e-11, "neuron {i}: {got} for {want}");
        }
        assert!(out.f_norm[59] < 1e-11);
    }
}

/// At β = 0 and clamped constant input the steady state is the forward pass, from wherever the run starts.
#[test]
fn without_nudging_the_network_settles_on_the_forward_pass() {
    let mut rng = Rng(8);
    for kind in Activation::NAMES.map(|(_, a)| a) {
        let setup = setup(chain(&[3, 5, 2], kind, InputMode::Clamped), settings(2.0));
        let start = parameters(&setup.network, 0.4, &mut rng);
        let w = common::case::dense(&setup.network, &start.weights);
        let biases = start.biases.clone();
        let x = rng.uniforms(3, 0.1, 0.9);
        let mut run = constant(&setup, start, &x, &[0.5, 0.5], 0.0, 200);
        run.u0[3..].iter_mut().for_each(|u| *u += rng.uniform(-0.5, 0.5));
        let out = simulate(&setup, &run);
        let u = &out.u[199 * 10..];
        let r: Vec<f64> = u.iter().map(|&u| activation(kind, u)[0]).collect();
        for (i, (a, b)) in times(&w, &r).iter().zip(&biases).enumerate().skip(3) {
            // 0.8^200 = 4e-20 is left of the start.
            assert!((u[i] - a - b).abs() < 1e-11, "{}: neuron {i}", kind.name());
        }
    }
}
