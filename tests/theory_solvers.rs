//! Stability of the explicit schemes and the cost of the implicit one, against closed forms and counted iterations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::parity::solvers;
use common::random::{Rng, chain, constant, network, parameters, setup, sines};
use lagrange_gpu::dynamics::{
    DENSE_LIMIT, Integrator, Model, Settings, SettingsError, Solver, StimulusKind, WOODBURY_LIMIT,
};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::simulate::{
    Record, Setup, SimulationError, SimulationInput, SimulationOutput, StopReason, run,
};
use proptest::prelude::*;

fn simulate(setup: &Setup, input: &SimulationInput) -> SimulationOutput {
    run(setup, &Device::Cpu(Precision::F64), input, &Record::default()).unwrap()
}

/// One linear output that projects nowhere, its input clamped: H is the number `h = 1 + β`. (β < 0 makes no sense to a network, but gives the
/// scheme the eigenvalues below 1 that hidden layers have.) Whether f has grown or decayed after `steps`.
fn grows(integrator: Integrator, dt_ms: f64, h: f64, steps: usize) -> bool {
    let settings = Settings { integrator, dt_ms, solver: Solver::Cg, u_limit: 1e9, ..Settings::default() };
    let setup = setup(chain(&[1, 1], Activation::Linear, InputMode::Clamped), settings);
    let mut rng = Rng(1);
    let start = parameters(&setup.network, 0.3, &mut rng);
    let mut input = constant(&setup, start, &[0.5], &[0.4], h - 1.0, steps);
    input.u0[1] += 0.1;
    let out = simulate(&setup, &input);
    if let Some(stop) = out.stop {
        assert!(matches!(stop.reason, StopReason::Diverged { .. }), "{stop}");
        return true;
    }
    let most = |f: &[f64]| f.iter().fold(0.0_f64, |m, v| m.max(*v));
    let (early, late) = (most(&out.f_norm[..40]), most(&out.f_norm[steps - 40..]));
    // At the distances from the edge below, f changes at least tenfold either way.
    assert!(late > 10.0 * early || late < 0.1 * early, "{integrator:?} h = {h}: {early} to {late}");
    late > early
}

/// With `w = dt·u̇ ∝ λⁿ` and the guess `g(λ)`: `(λ − 1)(1 − (1 − h) g(λ)) + k h = 0`, k = dt/τ. The upper edge is where λ = −1 is a
/// root: euler (g = 1/λ): h = 4/(2 + k); richardson1 (g = 2/λ − 1/λ²): 8/(6 + k); richardson2 (g = (8/λ − 6/λ² + 1/λ⁴)/3): 16/(13 + 1.5 k).
#[test]
fn explicit_schemes_diverge_above_their_interval() {
    for dt in [0.5, 2.0] {
        let k = dt / 10.0;
        for (integrator, edge) in [
            (Integrator::Euler, 4.0 / (2.0 + k)),
            (Integrator::Richardson1, 8.0 / (6.0 + k)),
            (Integrator::Richardson2, 16.0 / (13.0 + 1.5 * k)),
        ] {
            assert_eq!(integrator.stable(k).1, edge);
            assert!(!grows(integrator, dt, 0.98 * edge, 2000), "{integrator:?} below {edge}");
            assert!(grows(integrator, dt, 1.02 * edge, 2000), "{integrator:?} above {edge}");
        }
    }
}

/// The lower edge: a pair of complex roots passes |λ| = 1. Euler: their product is 1 − h, so h = 0. richardson1: h = k/(1 + k). richardson2: a
/// root of degree five, which `0.45 + k/2` approximates within 4 %.
#[test]
fn explicit_schemes_diverge_below_their_interval() {
    for dt in [0.5, 1.0] {
        let k = dt / 10.0;
        assert!(!grows(Integrator::Euler, dt, 0.02, 2000));
        assert!(grows(Integrator::Euler, dt, -0.02, 2000));
        let edge = k / (1.0 + k);
        assert!((Integrator::Richardson1.stable(k).0 - edge).abs() < 1e-15);
        assert!(!grows(Integrator::Richardson1, dt, 1.1 * edge, 4000));
        assert!(grows(Integrator::Richardson1, dt, 0.9 * edge, 4000));
        let edge = Integrator::Richardson2.stable(k).0;
        assert!((edge - 0.45 - 0.5 * k).abs() < 1e-15);
        assert!(!grows(Integrator::Richardson2, dt, 1.05 * edge, 2000));
        assert!(grows(Integrator::Richardson2, dt, 0.95 * edge, 2000));
    }
}

/// `exact` solves for u̇: any h > 0 will do, and any dt below 2τ, where |1 − dt/τ| reaches 1.
#[test]
fn exact_is_stable_for_all_eigenvalues_and_steps_below_two_tau() {
    for h in [0.01, 0.5, 5.0, 500.0] {
        assert!(!grows(Integrator::Exact, 0.5, h, 400), "h = {h}");
        assert!(!grows(Integrator::Exact, 19.0, h, 400), "h = {h}");
    }
    let net = chain(&[1, 1], Activation::Linear, InputMode::Clamped);
    let settings = Settings { dt_ms: 20.0, ..Settings::default() };
    let features = lagrange_gpu::dynamics::Features {
        stimulus: StimulusKind::Sequence { steps: 1 },
        beta_rows: 1,
        entry_norms: true,
        learning: false,
        unit_range: false,
    };
    let refused = Model::new(net, settings, 1, features);
    assert!(matches!(refused, Err(SettingsError::StepTooLarge { .. })));
}

/// Solvers that take √β refuse a negative β instead of computing with NaN.
#[test]
fn negative_beta_is_refused_where_its_root_is_taken() {
    let mut setup = setup(chain(&[2, 2], Activation::Linear, InputMode::Clamped), Settings::default());
    let start = parameters(&setup.network, 0.3, &mut Rng(1));
    let mut input = constant(&setup, start, &[0.5, 0.1], &[0.4, 0.2], 0.1, 4);
    input.beta[5] = -0.1;
    for solver in [Solver::Auto, Solver::OutputCg, Solver::Woodbury] {
        setup.settings.solver = solver;
        let refused = run(&setup, &Device::Cpu(Precision::F64), &input, &Record::default());
        assert!(matches!(refused, Err(SimulationError::NegativeBeta { step: 2, output: 1, .. })));
    }
    setup.settings.solver = Solver::Cg;
    assert_eq!(simulate(&setup, &input).stop, None);
}

/// Solvers whose memory grows with the outputs or the neurons are refused where they would take more than they are worth.
#[test]
fn costly_solvers_are_refused_for_large_networks() {
    let forced = |solver, outputs| {
        let settings = Settings { solver, ..Settings::default() };
        settings.check(&chain(&[2, outputs], Activation::Linear, InputMode::Clamped))
    };
    assert_eq!(forced(Solver::Woodbury, WOODBURY_LIMIT), Ok(()));
    let many = WOODBURY_LIMIT + 1;
    assert_eq!(forced(Solver::Woodbury, many), Err(SettingsError::TooManyForWoodbury(many)));
    assert_eq!(forced(Solver::Dense, DENSE_LIMIT), Ok(()));
    assert_eq!(
        forced(Solver::Dense, DENSE_LIMIT + 1),
        Err(SettingsError::TooLargeForDense { free: DENSE_LIMIT + 1, limit: DENSE_LIMIT })
    );
}

/// Largest number of iterations of a step, all of which must have converged.
fn iterations(setup: &Setup, input: &SimulationInput) -> usize {
    let out = simulate(setup, input);
    assert_eq!(out.stop, None);
    assert!(out.solver_steps.iter().all(|s| s.unconverged == 0 && s.residual <= setup.settings.tolerance));
    out.solver_steps.iter().map(|s| s.iterations).max().unwrap()
}

/// Section 2 of the model: 1e-6 takes 2-4 iterations at β = 0.1 (weights of std ≤ 0.1), 4-6 at β = 1, 5-8 at β = 10; over the outputs never more than there
/// are outputs, and none at β = 0.
#[test]
fn conjugate_gradients_need_few_iterations() {
    let mut rng = Rng(23);
    for kind in [Activation::HardSigmoid, Activation::Sigmoid] {
        let mut setup = setup(chain(&[60, 40, 30, 10], kind, InputMode::Clamped), Settings::default());
        let start = parameters(&setup.network, 0.1, &mut rng);
        let mut input = sines(&setup, start, 4, 30, &mut rng);
        // From the steady state: random voltages are another matter.
        input.u0 = common::random::steady(&setup.network, &input.parameters, &input.x_prev);
        for (beta, most) in [(0.1, 4), (1.0, 6), (10.0, 8)] {
            input.beta.fill(beta);
            for solver in solvers(&setup).into_iter().filter(|s| matches!(s, Solver::Cg | Solver::OutputCg)) {
                setup.settings.solver = solver;
                let count = iterations(&setup, &input);
                println!("{} β = {beta} [{}]: {count} iterations", kind.name(), solver.name());
                assert!((1..=most).contains(&count), "{} β = {beta}: {count}", kind.name());
            }
        }
        if kind.is_piecewise_linear() {
            input.beta.fill(0.0);
            for solver in [Solver::Cg, Solver::OutputCg] {
                setup.settings.solver = solver;
                assert_eq!(iterations(&setup, &input), 0);
            }
        }
    }
}

/// The operator is the identity plus rank n_out: conjugate gradients in the output space end after n_out iterations in exact arithmetic; in f64 one more
/// reaches 1e-12.
#[test]
fn output_space_iterations_are_bounded_by_the_outputs() {
    let mut rng = Rng(29);
    for n_out in [1, 2, 3, 5] {
        let net = network(&[6, 20, n_out], &[(0, 1), (1, 2), (0, 2)], Activation::Relu, InputMode::Driven);
        let mut setup = setup(net, Settings { solver: Solver::OutputCg, ..Settings::default() });
        let start = parameters(&setup.network, 0.4, &mut rng);
        let mut input = sines(&setup, start, 3, 30, &mut rng);
        for beta in [0.1, 1.0, 10.0, 100.0] {
            input.beta.fill(beta);
            for (tolerance, spare) in [(1e-6, 0), (1e-12, 1)] {
                setup.settings.tolerance = tolerance;
                let count = iterations(&setup, &input);
                assert!(count <= n_out + spare, "{n_out} outputs, β = {beta}: {count}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// All solvers solve the same system.
    #[test]
    fn solvers_agree_with_one_another(
        seed in any::<u64>(),
        hidden in prop::collection::vec(1_usize..9, 0..3),
        ends in (1_usize..6, 1_usize..5),
        kind in 0_usize..5,
        mode in 0_usize..3,
        batch in 1_usize..5,
        beta in prop::sample::select(vec![0.0, 0.1, 1.0, 10.0]),
    ) {
        let mut rng = Rng(seed);
        let sizes: Vec<usize> = [ends.0].into_iter().chain(hidden).chain([ends.1]).collect();
        let activation = Activation::NAMES[kind].1;
        let input = [InputMode::Clamped, InputMode::Driven, InputMode::Rates][mode];
        let settings = Settings { dt_ms: 0.5, tolerance: 1e-12, max_iterations: 400, ..Settings::default() };
        let mut setup = setup(chain(&sizes, activation, input), settings);
        let start = parameters(&setup.network, 0.2, &mut rng);
        let mut input = sines(&setup, start, batch, 3, &mut rng);
        input.beta.fill(beta);
        let mut outputs = Vec::new();
        for solver in solvers(&setup) {
            setup.settings.solver = solver;
            outputs.push((solver, simulate(&setup, &input)));
        }
        let (_, dense) = outputs.last().unwrap();
        let size = dense.u_dot.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
        for (solver, out) in &outputs {
            prop_assert_eq!(&out.stop, &None);
            for (a, b) in out.u_dot.iter().zip(&dense.u_dot) {
                // 1e-12 times the condition of H, some 1 + β.
                prop_assert!((a - b).abs() < 1e-10 * size, "{}: {} for {}", solver.name(), a, b);
            }
        }
    }
}
