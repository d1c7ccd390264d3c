//! Random networks of every kind against the dense oracle, on any device.

use lagrange_gpu::dynamics::{Dynamics, InputMismatch, Integrator, PlasticityInDynamics, Settings, Solver};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, InputMode, Network};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};

use super::case::dense;
use super::compare::Report;
use super::oracle;
use super::parity::{reported, solvers};
use super::random::{Rng, network, parameters, setup, sines};

/// All quantities of a run against the oracle. The tolerance is absolute, times the size of the largest value: a residual of 1e-12
/// times the condition of H (below 10 at these weights).
pub fn compare(
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

/// Sizes of the populations and projections (pre, post).
pub type Graph = (Vec<usize>, Vec<(usize, usize)>);

/// Chains, chains with skip connections, DAGs with an isolated hidden population and an input that reaches the output, and graphs with
/// cycles, some of them into the input.
pub fn topologies() -> Vec<Graph> {
    vec![
        (vec![4, 6, 5, 3], vec![(0, 1), (1, 2), (2, 3)]),
        (vec![3, 2], vec![(0, 1)]),
        (vec![4, 5, 4, 3], vec![(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]),
        // In no particular order, and population 2 gets nothing but its bias.
        (vec![3, 4, 2, 5, 2], vec![(3, 4), (0, 3), (1, 3), (0, 1), (2, 4)]),
        // The output gets nothing at all; it still has its bias and its target.
        (vec![3, 4, 2], vec![(0, 1)]),
        (vec![4, 5, 4, 3], vec![(0, 1), (1, 2), (2, 3), (2, 1), (3, 2)]),
        (vec![4, 5, 4, 3], vec![(0, 1), (1, 2), (2, 3), (1, 0), (2, 1), (3, 2), (3, 0)]),
        // All against the order.
        (vec![3, 4, 5], vec![(1, 0), (2, 1), (2, 0)]),
    ]
}

/// Settings of the f64 runs: a solver good to a relative residual of 1e-12.
pub fn precise() -> Settings {
    Settings {
        dt_ms: 0.5,
        tolerance: 1e-12,
        newton_tolerance: 1e-13,
        max_iterations: 400,
        ..Settings::default()
    }
}

/// A network with random factors and clips, and a run of it.
fn draw(
    (sizes, edges): &Graph,
    activation: Activation,
    integrator: Integrator,
    input: InputMode,
    steps: usize,
    rng: &mut Rng,
) -> (Setup, SimulationInput) {
    let mut net = network(sizes, edges, activation, input);
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
    let cycles = !net.is_feedforward();
    let dynamics = match Dynamics::NAMES[rng.below(5) % 3].1 {
        _ if integrator == Integrator::Equilibrium => Dynamics::Nla,
        other => other,
    };
    let settings = Settings {
        dynamics,
        // The jump to a target that the history does not know takes the schemes of higher order out of their interval.
        hard_targets: rng.below(3) == 0
            && matches!(integrator, Integrator::Exact | Integrator::Euler | Integrator::Equilibrium),
        input_mismatch: InputMismatch::NAMES[rng.below(2)].1,
        ..settings
    };
    let setup = setup(net, settings);
    // The explicit schemes need eigenvalues of H below 1.9, 1.3 and 1.2; H grows as (1 + ‖W‖)².
    let std = match integrator {
        Integrator::Exact | Integrator::Equilibrium if cycles => 0.1,
        Integrator::Exact | Integrator::Equilibrium => 0.25,
        Integrator::Euler => 0.1,
        Integrator::Richardson1 | Integrator::Richardson2 if cycles => 0.02,
        Integrator::Richardson1 | Integrator::Richardson2 => 0.04,
    };
    let start = parameters(&setup.network, std, rng);
    let batch = 1 + rng.below(4);
    let mut input = sines(&setup, start, batch, steps, rng);
    if settings.hard_targets {
        // The first output is clamped to its target from a third of the run on, the last one all the time.
        let n_out = setup.network.n_out();
        for (t, beta) in input.beta.chunks_exact_mut(n_out).enumerate() {
            beta[n_out - 1] = f64::INFINITY;
            if 3 * t >= steps {
                beta[0] = f64::INFINITY;
            }
        }
    }
    (setup, input)
}

/// Every topology with every activation and integrator, in turn every input mode, all solvers. Returns the number of runs.
pub fn random_networks(steps: usize, device: &Device, tolerance: f64, report: &mut Report) -> usize {
    let inputs = [InputMode::Clamped, InputMode::Driven, InputMode::Rates];
    let mut rng = Rng(17);
    let (mut drawn, mut runs, mut left_out) = (0, 0, 0);
    for graph in topologies() {
        for (_, activation) in Activation::NAMES {
            for (_, integrator) in Integrator::NAMES {
                // Where ρ has kinks there may be several roots, or none.
                if integrator == Integrator::Equilibrium && !activation.is_smooth() {
                    continue;
                }
                let mode = inputs[(drawn + drawn / 3) % 3];
                drawn += 1;
                let (mut setup, input) = draw(&graph, activation, integrator, mode, steps, &mut rng);
                let want = oracle::run(&setup, &input);
                // Learning may take a graph with cycles to where `1 − W D` is singular: such a run compares rounding, not equations.
                if !want.u.iter().all(|u| u.abs() < 10.0) {
                    report.note(format!(
                        "left out, for it diverges: {} {} {:?}",
                        activation.name(),
                        integrator.name(),
                        graph.1
                    ));
                    left_out += 1;
                    continue;
                }
                if device.precision() == Precision::F32 {
                    setup.settings.tolerance = Settings::default().tolerance;
                    setup.settings.newton_tolerance = Settings::default().newton_tolerance;
                }
                // A GPU records as many Newton iterations, and as many of the solver in each, as there may be.
                let nested = integrator == Integrator::Equilibrium && matches!(device, Device::Gpu(_));
                if nested {
                    setup.settings.max_iterations = 12;
                }
                let wanted = if nested { vec![Solver::Auto] } else { solvers(&setup) };
                for solver in wanted {
                    setup.settings.solver = solver;
                    let name = format!(
                        "{} {:?} {} {} {} {mode:?} {:?}{} [{}]",
                        setup.network.sizes(),
                        graph.1,
                        activation.name(),
                        setup.settings.dynamics.name(),
                        integrator.name(),
                        setup.settings.plasticity_in_dynamics,
                        if setup.settings.hard_targets { " beta = inf" } else { "" },
                        solver.name()
                    );
                    let out = run(&setup, device, &input, &Record::default()).unwrap();
                    assert_eq!(out.stop, None, "{name}");
                    assert_eq!(out.solver, reported(&setup, solver), "{name}");
                    compare(&name, &setup.network, &out, &want, tolerance, report);
                    runs += 1;
                }
            }
        }
    }
    assert!(20 * left_out < drawn, "{left_out} of {drawn} networks diverge");
    runs
}
