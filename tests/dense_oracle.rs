//! The CPU path against a dense f64 transcription of the model: features and shapes that the parity data does not have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::case::dense;
use common::compare::Report;
use common::oracle;
use common::parity::{reported, solvers};
use common::random::{Rng, chain, network, parameters, setup, sines};
use lagrange_gpu::dynamics::{Integrator, OnIndefinite, PROBE_LIMIT, PlasticityInDynamics, Settings, Solver};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, InputMode, Network};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, StopReason, run};

/// A solver good to a relative residual of 1e-12.
fn precise() -> Settings {
    Settings { dt_ms: 0.5, tolerance: 1e-12, max_iterations: 400, ..Settings::default() }
}

/// All quantities of a run against the oracle. The tolerance is absolute, times the size of the largest value: a residual of 1e-12
/// times the condition of H (below 10 at these weights).
fn compare(
    name: &str,
    net: &Network,
    out: &SimulationOutput,
    want: &oracle::Trajectory,
    tolerance: f64,
    report: &mut Report,
) {
    let (t, b, n) = (out.steps_completed, out.batch, out.neurons);
    let mut check = |what: &str, got: &[f64], want: &[f64], shape: &[usize]| {
        let size = want.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
        report.compare(name, what, got, want, shape, tolerance * size);
    };
    check("u", &out.u, &want.u, &[t, b, n]);
    check("u_dot", &out.u_dot, &want.u_dot, &[t, b, n]);
    check("f_norm", &out.f_norm, &want.f_norm, &[t, b]);
    check("f_entry_norm", &out.f_entry_norm, &want.f_entry_norm, &[t, b]);
    check("W_end", &dense(net, &out.end.weights), &want.w_end, &[n, n]);
    check("b_end", &out.end.biases, &want.b_end, &[n]);
}

fn simulate(setup: &Setup, input: &SimulationInput) -> SimulationOutput {
    run(setup, &Device::Cpu(Precision::F64), input, &Record::default()).unwrap()
}

/// Sizes of the populations and projections (pre, post).
type Graph = (Vec<usize>, Vec<(usize, usize)>);

/// Chains, chains with skip connections, and DAGs with an isolated hidden population and an input that reaches the output.
fn topologies() -> Vec<Graph> {
    vec![
        (vec![4, 6, 5, 3], vec![(0, 1), (1, 2), (2, 3)]),
        (vec![3, 2], vec![(0, 1)]),
        (vec![4, 5, 4, 3], vec![(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]),
        // In no particular order, and population 2 gets nothing but its bias.
        (vec![3, 4, 2, 5, 2], vec![(3, 4), (0, 3), (1, 3), (0, 1), (2, 4)]),
        // The output gets nothing at all; it still has its bias and its target.
        (vec![3, 4, 2], vec![(0, 1)]),
    ]
}

#[test]
fn random_networks_agree_with_dense_matrices() {
    let mut report = Report::default();
    let integrators = Integrator::NAMES.map(|(_, v)| v);
    let inputs = [InputMode::Clamped, InputMode::Driven, InputMode::Rates];
    let mut rng = Rng(17);
    let mut runs = 0;
    for (sizes, edges) in topologies() {
        for (_, activation) in Activation::NAMES {
            for (i, integrator) in integrators.into_iter().enumerate() {
                let input = inputs[(i + runs) % 3];
                let mut net = network(&sizes, &edges, activation, input);
                for p in &mut net.projections {
                    p.factor = [0.0, 0.5, 1.0, 2.0][rng.below(4)];
                    p.clip = (rng.below(3) == 0).then_some(0.4);
                }
                for p in &mut net.populations[1..] {
                    p.bias_factor = [0.0, 0.5, 1.0][rng.below(3)];
                    p.bias_clip = (rng.below(3) == 0).then_some(0.12);
                }
                let settings = Settings {
                    integrator,
                    plasticity_in_dynamics: PlasticityInDynamics::NAMES[rng.below(3)].1,
                    derivative_clip: (rng.below(2) == 0).then_some(0.004),
                    ..precise()
                };
                let mut setup = setup(net, settings);
                // The explicit schemes need eigenvalues of H below 1.9, 1.3 and 1.2; H grows as (1 + ‖W‖)².
                let std = match integrator {
                    Integrator::Exact => 0.25,
                    Integrator::Euler => 0.1,
                    Integrator::Richardson1 | Integrator::Richardson2 => 0.04,
                };
                let start = parameters(&setup.network, std, &mut rng);
                let input = sines(&setup, start, 1 + rng.below(4), 24, &mut rng);
                let want = oracle::run(&setup, &input);
                for solver in solvers(&setup) {
                    setup.settings.solver = solver;
                    let out = simulate(&setup, &input);
                    let net = &setup.network;
                    let name = format!(
                        "{} {edges:?} {} {} {:?} {:?} [{}]",
                        net.sizes(),
                        activation.name(),
                        integrator.name(),
                        net.input,
                        settings.plasticity_in_dynamics,
                        solver.name()
                    );
                    assert_eq!(out.stop, None, "{name}");
                    assert_eq!(out.solver, reported(&setup, solver), "{name}");
                    compare(&name, net, &out, &want, 1e-11, &mut report);
                    runs += 1;
                }
            }
        }
    }
    println!("{runs} runs");
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
            println!("{} seed {seed}: indefinite at {step}: {stop}", activation.name());
        }
        assert!(noticed > 0);
    }
}
