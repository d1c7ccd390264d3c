//! The CPU path against a dense f64 transcription of the model: features and shapes that the parity data does not have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::compare::Report;
use common::oracle;
use common::parity::reported;
use common::random::{Rng, chain, parameters, setup, sines};
use common::zoo::{compare, precise, random_networks};
use lagrange_gpu::dynamics::{OnIndefinite, PROBE_LIMIT, Settings, Solver};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, StopReason, run};

fn simulate(setup: &Setup, input: &SimulationInput) -> SimulationOutput {
    run(setup, &Device::Cpu(Precision::F64), input, &Record::default()).unwrap()
}

#[test]
fn random_networks_agree_with_dense_matrices() {
    let mut report = Report::default();
    // The solver's 1e-12 times the condition of H (below 10 at these weights).
    let runs = random_networks(24, &Device::Cpu(Precision::F64), 1e-11, &mut report);
    println!("{runs} runs");
    report.finish();
}

/// Few steps, so that rounding does not grow: some ten terms of 6e-8 in a basal input, times the condition of H (below 10); the solver's
/// 1e-6 of ‖c‖ < 1 is the smaller part.
#[test]
fn random_networks_agree_with_dense_matrices_in_single_precision() {
    let mut report = Report::default();
    random_networks(4, &Device::Cpu(Precision::F32), 6e-6, &mut report);
    report.finish();
}

/// The size at which structure matters: three steps of the largest network of the paper's MNIST experiments.
#[test]
fn mnist_size_agrees_with_dense_matrices() {
    let mut report = Report::default();
    let mut rng = Rng(5);
    let net = chain(&[784, 300, 100, 10], Activation::HardSigmoid, InputMode::Clamped);
    let mut setup = setup(net, precise());
    let start = parameters(&setup.network, 0.05, &mut rng);
    let mut input = sines(&setup, start, 4, 3, &mut rng);
    // Pixels: most of them on the kinks 0 and 1.
    for x in input.x.iter_mut().chain(&mut input.x_prev) {
        *x = (4.0 * *x - 1.5).clamp(0.0, 1.0);
    }
    for (u, x) in input.u0.chunks_exact_mut(1194).zip(input.x_prev.chunks_exact(784)) {
        u[..784].copy_from_slice(x);
    }
    let want = oracle::run(&setup, &input);
    for solver in [Solver::Auto, Solver::Cg, Solver::OutputCg, Solver::Woodbury] {
        setup.settings.solver = solver;
        let out = simulate(&setup, &input);
        assert_eq!(out.solver, reported(&setup, solver));
        compare(&format!("MNIST size [{}]", solver.name()), &setup.network, &out, &want, 1e-11, &mut report);
    }
    // In f32 a basal input of 784 terms of up to 0.15 carries an error of some √784 · 6e-8 · 0.15 ≈ 3e-7; u̇ has δ/τ of it and the
    // solver's 1e-6 of ‖c‖.
    setup.settings = Settings { dt_ms: 0.5, ..Settings::default() };
    let out = run(&setup, &Device::Cpu(Precision::F32), &input, &Record::default()).unwrap();
    compare("MNIST size [f32]", &setup.network, &out, &want, 1e-5, &mut report);
    report.finish();
}

/// Saturating ρ, strong weights, voltages far apart: H is indefinite in some steps.
fn wide(activation: Activation, hidden: &[usize], seed: u64) -> (Setup, SimulationInput) {
    let mut rng = Rng(seed);
    let sizes: Vec<usize> = [3].iter().chain(hidden).chain(&[2]).copied().collect();
    let mut setup = setup(chain(&sizes, activation, InputMode::Clamped), precise());
    setup.settings.tau_ms = 10.0;
    let std = if activation == Activation::Tanh { 0.9 } else { 1.5 };
    let start = parameters(&setup.network, std, &mut rng);
    let mut input = sines(&setup, start, 3, 6, &mut rng);
    let n = setup.network.neurons();
    for u in input.u0.chunks_exact_mut(n) {
        u[3..].fill_with(|| rng.uniform(-2.0, 2.0));
    }
    (setup, input)
}

/// The beginning of a run.
fn first_steps(setup: &Setup, input: &SimulationInput, steps: usize) -> SimulationInput {
    let net = &setup.network;
    SimulationInput {
        steps,
        x: input.x[..steps * input.batch * net.n_in()].to_vec(),
        y: input.y[..steps * input.batch * net.n_out()].to_vec(),
        beta: input.beta[..steps * net.n_out()].to_vec(),
        learn: input.learn[..steps].to_vec(),
        ..input.clone()
    }
}

/// The first step and trajectory at which the oracle finds an indefinite H.
fn first_indefinite(want: &oracle::Trajectory, batch: usize) -> Option<(usize, usize)> {
    want.definite.iter().position(|ok| !ok).map(|at| (at / batch, at % batch))
}

#[test]
fn indefinite_hessian_stops_or_falls_back() {
    let mut report = Report::default();
    for activation in [Activation::Tanh, Activation::Sigmoid] {
        let mut found = 0;
        for seed in 0..12 {
            let (mut setup, input) = wide(activation, &[5, 4], seed);
            let want = oracle::run(&setup, &input);
            let Some((step, trajectory)) = first_indefinite(&want, input.batch) else { continue };
            // Near a singular H rounding is amplified: by as much as a displacement of the start is.
            let mut displaced = input.clone();
            displaced.u0.iter_mut().for_each(|u| *u += 1e-9);
            let other = oracle::run(&setup, &displaced);
            let growth =
                want.u_dot.iter().zip(&other.u_dot).fold(1.0, |m: f64, (a, b)| m.max((a - b).abs() / 1e-9));
            println!("{} seed {seed}: a displacement grows {growth:.1e} times", activation.name());
            if growth > 1e6 {
                continue;
            }
            found += 1;
            for solver in [Solver::Auto, Solver::Dense] {
                setup.settings.solver = solver;
                let name = format!("{} seed {seed} [{}]", activation.name(), solver.name());
                setup.settings.on_indefinite = OnIndefinite::Error;
                let out = simulate(&setup, &input);
                let stop = out.stop.unwrap_or_else(|| panic!("{name}: did not stop"));
                assert_eq!((stop.step, stop.trajectory), (step, trajectory), "{name}");
                assert_eq!(stop.reason, StopReason::IndefiniteHessian, "{name}");
                assert_eq!(out.steps_completed, step, "{name}");
                setup.settings.on_indefinite = OnIndefinite::Fallback;
                let out = simulate(&setup, &input);
                assert_eq!(out.stop, None, "{name}");
                compare(&name, &setup.network, &out, &want, 1e-12 * growth, &mut report);
                let counted: Vec<usize> = out.solver_steps.iter().map(|s| s.indefinite).collect();
                let expected: Vec<usize> = want
                    .definite
                    .chunks_exact(input.batch)
                    .map(|c| c.iter().filter(|ok| !**ok).count())
                    .collect();
                assert_eq!(counted, expected, "{name}");
            }
        }
        println!("{}: {found} runs with an indefinite H", activation.name());
        assert!(found >= 4, "only {found} runs are indefinite; the test needs more");
    }
    report.finish();
}

/// Above the size of the Cholesky probe, negative curvature tells; it may tell later than the factorisation would, but a run must not
/// go wrong without a word.
#[test]
fn indefinite_hessian_of_a_larger_network_is_noticed() {
    for activation in [Activation::Tanh, Activation::Sigmoid] {
        let mut noticed = 0;
        for seed in 0..6 {
            let (mut setup, input) = wide(activation, &[PROBE_LIMIT, 20], seed);
            let want = oracle::run(&setup, &input);
            let Some((step, _)) = first_indefinite(&want, input.batch) else { continue };
            setup.settings.on_indefinite = OnIndefinite::Error;
            let out = simulate(&setup, &input);
            let stop = out.stop.unwrap_or_else(|| panic!("seed {seed}: indefinite at {step}, no word"));
            assert!(stop.step >= step, "seed {seed}: {stop}");
            noticed += 1;
            // Going on, conjugate gradients either solve the indefinite system or say that they did not.
            setup.settings.on_indefinite = OnIndefinite::Fallback;
            let out = simulate(&setup, &first_steps(&setup, &input, 1));
            println!("  first step: {:?}", out.solver_steps);
            if out.stop.is_none() && out.solver_steps[0].unconverged == 0 {
                let most = want.u_dot.iter().zip(&out.u_dot).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                let size = out.u_dot.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
                // 1e-12 times the condition of an indefinite H, below 1e5 here.
                assert!(most < 1e-7 * size, "seed {seed}: {most:e} of {size}");
            }
            println!("{} seed {seed}: indefinite at {step}: {stop}", activation.name());
        }
        assert!(noticed > 0);
    }
}
