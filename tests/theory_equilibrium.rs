//! The integrator `equilibrium` solves `(1 + τ d/dt) f = 0` without an error of time: what it tends to, what it holds, where it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::case::dense;
use common::oracle::{activation, solve, times, transposed};
use common::random::{Rng, chain, constant, network, parameters, setup, steady};
use lagrange_gpu::dynamics::{Integrator, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, InputMode, Network, Parameters};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};

const TAU: f64 = 10.0;
const NEWTON: f64 = 1e-13;
const CPU: Device = Device::Cpu(Precision::F64);

fn settings(integrator: Integrator, dt_ms: f64) -> Settings {
    Settings {
        integrator,
        tau_ms: TAU,
        dt_ms,
        tolerance: 1e-13,
        newton_tolerance: NEWTON,
        max_iterations: 400,
        ..Settings::default()
    }
}

fn simulate(setup: &Setup, input: &SimulationInput, device: &Device) -> SimulationOutput {
    let snapshots = (0..input.steps).collect();
    let out = run(setup, device, input, &Record { snapshots, ..Record::default() }).unwrap();
    assert_eq!(out.stop, None);
    assert!(out.solver_steps.iter().all(|s| s.unconverged == 0), "{:?}", out.solver_steps);
    out
}

/// A chain, a graph whose hidden populations project both ways, and one that projects into its input as well.
fn graphs() -> [Vec<(usize, usize)>; 3] {
    let up = [(0, 1), (1, 2), (2, 3)];
    let both = [&up[..], &[(2, 1), (3, 2)]].concat();
    [up.to_vec(), both.clone(), [&both[..], &[(1, 0), (1, 1)]].concat()]
}

/// Input and target that move on circles of the given size, and a start off equilibrium.
fn moving(setup: &Setup, start: Parameters, size: f64, steps: usize, rng: &mut Rng) -> SimulationInput {
    let net = &setup.network;
    let (x, y) = (rng.uniforms(2 * net.n_in(), 0.2, 0.8), rng.uniforms(2 * net.n_out(), -0.2, 0.8));
    let mut input = constant(setup, start, &x, &y, 0.5, steps);
    for t in 0..steps {
        let time = (t + 1) as f64 * setup.settings.dt_ms;
        let wave = |i: usize, period: f64| size * ((time / period + i as f64).sin() - (i as f64).sin());
        let (x, y) = (&mut input.x[t * x.len()..], &mut input.y[t * y.len()..]);
        x.iter_mut().take(2 * net.n_in()).enumerate().for_each(|(i, x)| *x += wave(i, 6.0));
        y.iter_mut().take(2 * net.n_out()).enumerate().for_each(|(o, y)| *y += wave(o, 8.0));
    }
    let first = net.free().start;
    for u in input.u0.chunks_exact_mut(net.neurons()) {
        u[first..].iter_mut().for_each(|u| *u += rng.uniform(-0.4, 0.4));
    }
    input
}

/// What each of them is tested on: sigmoid, weights for which H is positive definite, the same for every dt.
fn case(
    edges: &[(usize, usize)],
    integrator: Integrator,
    dt: f64,
    size: f64,
    ms: f64,
) -> (Setup, SimulationInput) {
    let mut rng = Rng(41);
    let net = network(&[3, 6, 5, 2], edges, Activation::Sigmoid, InputMode::Clamped);
    let setup = setup(net, settings(integrator, dt));
    let start = parameters(&setup.network, 0.5, &mut rng);
    let input = moving(&setup, start, size, (ms / dt).round() as usize, &mut rng);
    (setup, input)
}

/// `equilibrium` has no error of time, `exact` one of first order: at t = 12 ms they differ by `c·dt + O(dt²)`, so halving dt halves the
/// difference, up to the relative O(dt/τ) = 0.04 of the next order (0.15 is allowed).
#[test]
fn exact_tends_to_equilibrium_at_first_order() {
    for edges in graphs() {
        for size in [0.0, 0.3] {
            let apart = [0.4, 0.2, 0.1, 0.05].map(|dt| {
                let last = [Integrator::Exact, Integrator::Equilibrium].map(|integrator| {
                    let (setup, input) = case(&edges, integrator, dt, size, 12.0);
                    let out = simulate(&setup, &input, &CPU);
                    let row = out.batch * out.neurons;
                    out.u[(out.steps_completed - 1) * row..].to_vec()
                });
                last[0].iter().zip(&last[1]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
            });
            println!("{edges:?}, moving by {size}: {apart:?}");
            for pair in apart.windows(2) {
                let ratio = pair[0] / pair[1];
                assert!(
                    (1.85..2.15).contains(&ratio),
                    "{edges:?}, moving by {size}: ratio {ratio} of {apart:?}"
                );
            }
            // The start is 0.4 off: what is compared is not nothing.
            assert!(apart[0] > 1e-4 && apart[3] < 1e-2, "{apart:?}");
        }
    }
}

/// f of the free neurons, written out: `δ − ρ'·(Wᵀδ) − β(u* − u)`. A clamped input has the drive x, so that its δ is `−(W r̄ + b)`, and none where
/// nothing projects into it.
fn f(net: &Network, at: &Parameters, (u, x, y): (&[f64], &[f64], &[f64]), beta: f64) -> Vec<f64> {
    let (n, n_in, n_out) = (net.neurons(), net.n_in(), net.n_out());
    let w = dense(net, &at.weights);
    let local: Vec<[f64; 3]> = u.iter().map(|&u| activation(net.activation, u)).collect();
    let r: Vec<f64> = local.iter().map(|l| l[0]).collect();
    let mut delta: Vec<f64> =
        times(&w, &r).iter().zip(&at.biases).zip(u).map(|((a, b), u)| u - a - b).collect();
    delta.iter_mut().zip(x).for_each(|(d, x)| *d -= x);
    if net.input.is_clamped() && !net.projections.iter().any(|p| p.post == 0) {
        delta[..n_in].fill(0.0);
    }
    let back = transposed(&w, &delta);
    let nudge = |i: usize| if i + n_out >= n { beta * (y[i + n_out - n] - u[i]) } else { 0.0 };
    net.free().range().map(|i| delta[i] - local[i][1] * back[i] - nudge(i)).collect()
}

/// Largest difference of any component of f from `f(0) e^{−t/τ}` in the run, and the largest of f(0).
fn off_exponential(setup: &Setup, input: &SimulationInput, out: &SimulationOutput) -> (f64, f64) {
    let (net, beta) = (&setup.network, input.beta[0]);
    let (n, n_in, n_out) = (net.neurons(), net.n_in(), net.n_out());
    let (mut most, mut size) = (0.0_f64, 0.0_f64);
    for b in 0..input.batch {
        let row =
            |data: &[f64], t: usize, width: usize| data[(t * input.batch + b) * width..][..width].to_vec();
        let start =
            (&row(&input.u0, 0, n)[..], &row(&input.x_prev, 0, n_in)[..], &row(&input.y_prev, 0, n_out)[..]);
        let f0 = f(net, &input.parameters, start, beta);
        size = f0.iter().fold(size, |m, v| m.max(v.abs()));
        for (t, snap) in out.snapshots.iter().enumerate() {
            let now = (&row(&out.u, t, n)[..], &row(&input.x, t, n_in)[..], &row(&input.y, t, n_out)[..]);
            let left = (-((t + 1) as f64) * setup.settings.dt_ms / TAU).exp();
            let got = f(net, &snap.parameters, now, beta);
            most = got.iter().zip(&f0).map(|(f, f0)| (f - f0 * left).abs()).fold(most, f64::max);
        }
    }
    (most, size)
}

/// Every step leaves a residual of at most the Newton tolerance (and rounding, of sums of some ten terms), which later steps shrink by e^{−dt/τ}
/// each: what adds up is at most the tolerance over `1 − e^{−dt/τ}`.
fn holds_the_exponential(device: &Device, newton: f64, rounding: f64) {
    for edges in graphs() {
        for (dt, steps) in [(0.5, 80), (5.0, 20), (50.0, 6)] {
            let (mut setup, mut input) = case(&edges, Integrator::Equilibrium, dt, 0.3, steps as f64 * dt);
            setup.settings.newton_tolerance = newton;
            setup.settings.tolerance = newton;
            // Over 50 ms a rate of 0.005 per ms moves a weight by a quarter of δ r̄.
            (setup.rate_w, setup.rate_b) = (0.005, 0.003);
            input.learn.fill(true);
            let out = simulate(&setup, &input, device);
            let (most, size) = off_exponential(&setup, &input, &out);
            let allowed = (newton + rounding) / (1.0 - (-dt / TAU).exp());
            println!("{edges:?}, {dt} ms: {most:e} of {allowed:e}");
            assert!(most <= allowed, "{edges:?}, {dt} ms: f is {most:e} off, {allowed:e} allowed");
            assert!(size > 0.1, "there was an f to forget: {size}");
            let moved = dense(&setup.network, &out.end.weights).into_iter();
            let learned = moved.zip(dense(&setup.network, &input.parameters.weights));
            assert!(learned.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) > 1e-3, "weights learn");
        }
    }
}

#[test]
fn f_decays_exponentially_at_any_step() {
    holds_the_exponential(&CPU, NEWTON, 1e-14);
}

/// An iteration that only judges its start, u_n with the u̇ = 0 before it, stays there in each step, and says that it has not converged; a
/// bound that is not reached changes no bit.
#[test]
fn the_bound_of_iterates_is_kept() {
    let (mut setup, input) = case(&graphs()[1], Integrator::Equilibrium, 5.0, 0.3, 30.0);
    let n = setup.network.neurons();
    let bounded = |setup: &mut Setup, most: usize| {
        setup.settings.newton_iterations = most;
        run(setup, &CPU, &input, &Record::default()).unwrap()
    };
    let one = bounded(&mut setup, 1);
    assert!(one.solver_steps.iter().all(|s| s.unconverged > 0));
    for (u, start) in one.u.chunks_exact(n).zip(input.u0.chunks_exact(n).cycle()) {
        assert_eq!(u[3..], start[3..], "free neurons keep their voltages");
    }
    let (all, some) = (bounded(&mut setup, 41), bounded(&mut setup, 15));
    assert!(all.solver_steps.iter().all(|s| s.unconverged == 0), "{:?}", all.solver_steps);
    assert_eq!(all.u, some.u);
    assert!(all.u != one.u);
}

/// Sums of some twenty terms of order 1, with roundings of 6e-8.
#[test]
fn f_decays_exponentially_at_any_step_in_single_precision() {
    holds_the_exponential(&Device::Cpu(Precision::F32), 1e-6, 1.2e-6);
}

/// Four steps of 100 ms leave e⁻⁴⁰ of the start. At β = 0 the answer is `(1 − W)⁻¹ (b + W_in x)` where ρ is linear, and `u = W ρ(u) + b` by sweeps
/// where it is not; a residual of 1e-13 in f is at most that times ‖H⁻¹‖ (below 10 at these weights) in u.
#[test]
fn a_constant_input_is_answered_in_few_steps() {
    for edges in [&graphs()[0], &graphs()[1]] {
        for kind in [Activation::Linear, Activation::Sigmoid, Activation::Tanh, Activation::Softplus] {
            let mut rng = Rng(43);
            let net = network(&[3, 6, 5, 2], edges, kind, InputMode::Clamped);
            let setup = setup(net, settings(Integrator::Equilibrium, 100.0));
            let start = parameters(&setup.network, 0.25, &mut rng);
            let x = rng.uniforms(3, 0.1, 0.9);
            let mut input = constant(&setup, start.clone(), &x, &[0.4, 0.6], 0.0, 4);
            input.u0[3..].iter_mut().for_each(|u| *u += rng.uniform(-0.5, 0.5));
            let want = if kind == Activation::Linear {
                linear_steady(&setup.network, &start, &x)
            } else {
                steady(&setup.network, &start, &x)[3..].to_vec()
            };
            let out = simulate(&setup, &input, &CPU);
            for (got, want) in out.u[3 * 16 + 3..].iter().zip(&want) {
                assert!((got - want).abs() < 1e-12, "{} {edges:?}: {got} for {want}", kind.name());
            }
        }
    }
}

/// `(1 − W)⁻¹ (b + W_in x)` of the free neurons by a dense solve.
fn linear_steady(net: &Network, at: &Parameters, x: &[f64]) -> Vec<f64> {
    let (n, first) = (net.neurons(), net.n_in());
    let w = dense(net, &at.weights);
    let m = n - first;
    let one = |i: usize, j: usize| f64::from(u8::from(i == j));
    let j = (0..m * m).map(|k| one(k / m, k % m) - w[(k / m + first) * n + k % m + first]).collect();
    let driven = |i: usize| (0..first).map(|k| w[i * n + k] * x[k]).sum::<f64>() + at.biases[i];
    solve(j, (first..n).map(driven).collect())
}

/// The first step reaches what the next ones keep even where the input jumps: with f = 0 at the start f stays 0 at any dt.
#[test]
fn a_jump_of_the_input_leaves_nothing() {
    let mut rng = Rng(47);
    let net = chain(&[3, 6, 2], Activation::Sigmoid, InputMode::Clamped);
    let setup = setup(net, settings(Integrator::Equilibrium, 20.0));
    let start = parameters(&setup.network, 0.5, &mut rng);
    let before = constant(&setup, start.clone(), &[0.0; 3], &[0.0; 2], 0.0, 1);
    let x = rng.uniforms(3, 0.5, 1.0);
    let mut input = constant(&setup, start.clone(), &x, &[0.0; 2], 0.0, 3);
    (input.u0, input.x_prev) = (before.u0, vec![0.0; 3]);
    let out = simulate(&setup, &input, &CPU);
    let want = steady(&setup.network, &start, &x);
    for u in out.u.chunks_exact(11) {
        for (got, want) in u.iter().zip(&want) {
            assert!((got - want).abs() < 1e-12, "{got} for {want}");
        }
    }
}
