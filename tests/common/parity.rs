//! Runs cases of the parity data on a device.

use std::path::Path;

use lagrange_gpu::dynamics::{Dynamics, Integrator, Solver, dense_limit};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Kind, Network};
use lagrange_gpu::simulate::{Record, Setup, SimulationOutput, StopReason, run};

use super::case::{Case, cases, dense};
use super::compare::Report;
use super::microcircuit;

/// The cases of a folder; one that needs what this version does not know is a failure.
pub fn runnable(folder: &Path, report: &mut Report) -> Vec<Case> {
    let mut run = Vec::new();
    for case in cases(folder) {
        let missing = case.missing_features();
        if missing.is_empty() {
            run.push(case);
        } else {
            report.fail(format!("{}: needs '{}'", case.name, missing.join(", ")));
        }
    }
    report.note(format!("{}: {} cases", folder.display(), run.len()));
    run
}

/// Every solver that applies, `auto` first.
pub fn solvers(setup: &Setup) -> Vec<Solver> {
    let implicit = matches!(setup.settings.integrator, Integrator::Exact | Integrator::Equilibrium);
    if !implicit || setup.settings.dynamics != Dynamics::Nla {
        return vec![Solver::Auto];
    }
    if setup.network.microcircuit.is_some() {
        return vec![Solver::Auto, Solver::Bicgstab];
    }
    let mut all = vec![Solver::Auto, Solver::Cg];
    if setup.network.activation.is_piecewise_linear()
        && setup.network.is_feedforward()
        && !setup.settings.hard_targets
    {
        all.extend([Solver::OutputCg, Solver::Woodbury]);
    }
    if setup.network.free().len <= dense_limit(&setup.network) {
        all.push(Solver::Dense);
    }
    all
}

/// What `Model::solver` must say when `solver` was asked for.
pub fn reported(setup: &Setup, solver: Solver) -> Option<Solver> {
    let net = &setup.network;
    match (setup.settings.integrator, solver) {
        (Integrator::Exact, _)
            if setup.settings.dynamics == Dynamics::LookaheadRateOnly && !net.is_feedforward() =>
        {
            Some(Solver::Bicgstab)
        }
        _ if setup.settings.dynamics != Dynamics::Nla => None,
        (Integrator::Exact | Integrator::Equilibrium, Solver::Auto) if net.microcircuit.is_some() => {
            Some(Solver::Bicgstab)
        }
        (Integrator::Exact | Integrator::Equilibrium, Solver::Auto)
            if net.activation.is_piecewise_linear()
                && net.is_feedforward()
                && !setup.settings.hard_targets =>
        {
            Some(Solver::OutputCg)
        }
        (Integrator::Exact | Integrator::Equilibrium, Solver::Auto) => Some(Solver::Cg),
        (Integrator::Exact | Integrator::Equilibrium, forced) => Some(forced),
        _ => None,
    }
}

/// The whole trajectory in f64 with a solver good to 1e-12, everything compared.
pub fn trajectory(case: &Case, solver: Solver, report: &mut Report) {
    let mut setup = case.setup();
    setup.settings.solver = solver;
    setup.settings.tolerance = 1e-12;
    setup.settings.newton_tolerance = 1e-13;
    setup.settings.max_iterations = 200;
    let input = case.input(&setup.network);
    let steps = case.array("snap_steps");
    let keep = Record {
        voltages: true,
        snapshots: steps.iter().map(|&s| s as usize).collect(),
        ..Record::default()
    };
    let label = format!("{} [{}]", case.name, solver.name());
    let out = match run(&setup, &Device::Cpu(Precision::F64), &input, &keep) {
        Ok(out) => out,
        Err(e) => return report.fail(format!("{label}: {e}")),
    };
    if let Some(stop) = &out.stop {
        return report.fail(format!("{label}: stopped: {stop}"));
    }
    assert_eq!(out.solver, reported(&setup, solver), "{label}");
    check_trajectory(case, &label, &setup.network, &out, report);
}

fn check_trajectory(case: &Case, label: &str, net: &Network, out: &SimulationOutput, report: &mut Report) {
    let (t, b, n) = (out.steps_completed, out.batch, out.neurons);
    let tolerance = |quantity: &str| case.tolerance("f64_trajectory_abs", quantity);
    let mut worst = Vec::new();
    let mut compare = |what: &str, got: &[f64], shape: &[usize], quantity: &str| {
        let most = report.compare(label, what, got, &case.array(what), shape, tolerance(quantity));
        worst.push(format!("{what} {most:.1e}"));
    };
    compare("u", &out.u, &[t, b, n], "u");
    compare("u_dot", &out.u_dot, &[t, b, n], "u_dot");
    compare("f_norm", &out.f_norm, &[t, b], "f_norm");
    compare("f_entry_norm", &out.f_entry_norm, &[t, b], "f_norm");
    let snaps = out.snapshots.len();
    let w: Vec<f64> = out.snapshots.iter().flat_map(|s| dense(net, &s.parameters.weights)).collect();
    let bias: Vec<f64> = out.snapshots.iter().flat_map(|s| s.parameters.biases.clone()).collect();
    compare("W_snap", &w, &[snaps, n, n], "W");
    compare("b_snap", &bias, &[snaps, n], "b");
    compare("W_end", &dense(net, &out.end.weights), &[n, n], "W");
    compare("b_end", &out.end.biases, &[n], "b");
    if net.microcircuit.is_some() {
        interneurons(net, out, &mut compare);
    }
    let most = out.solver_steps.iter().map(|s| s.iterations).max().unwrap_or(0);
    let open = out.solver_steps.iter().filter(|s| s.unconverged > 0).count();
    if open > 0 {
        report.fail(format!("{label}: {open} steps did not reach the solver's tolerance"));
    }
    report.note(format!("{label}: {}; at most {most} iterations", worst.join(", ")));
}

/// Voltages and parameters of the microcircuit.
fn interneurons(
    net: &Network,
    out: &SimulationOutput,
    compare: &mut impl FnMut(&str, &[f64], &[usize], &str),
) {
    let (t, b) = (out.steps_completed, out.batch);
    let micro = net.microcircuit.as_ref().unwrap();
    let (cells, snaps) = (micro.count(net), out.snapshots.len());
    compare("u_I", &out.u_i, &[t, b, cells], "u_I");
    if !out.u_i_dot.is_empty() {
        compare("u_I_dot", &out.u_i_dot, &[t, b, cells], "u_I");
    }
    for (name, kind) in Kind::NAMES.into_iter().filter(|(_, kind)| *kind != Kind::Nudge) {
        let Some(end) = microcircuit::dense(net, &out.end.microcircuit, kind) else { continue };
        let (rows, cols) = microcircuit::shape(net, kind);
        compare(&format!("{name}_end"), &end, &[rows, cols], "microcircuit_weights");
        let all = out.snapshots.iter().map(|s| &s.parameters.microcircuit);
        let all: Vec<f64> = all.filter_map(|p| microcircuit::dense(net, p, kind)).flatten().collect();
        compare(&format!("{name}_snap"), &all, &[snaps, rows, cols], "microcircuit_weights");
    }
    if micro.stored_biases(net) > 0 {
        compare("bI_end", &out.end.microcircuit.biases, &[cells], "microcircuit_weights");
    }
}

/// The step after every snapshot from the state of the data, on any device. `kind` names the tolerance.
pub fn single_steps(case: &Case, device: &Device, solver: Solver, report: &mut Report) {
    let mut setup = case.setup();
    setup.settings.solver = solver;
    let kind =
        if device.precision() == Precision::F64 { "f64_trajectory_abs" } else { "f32_single_step_abs" };
    if device.precision() == Precision::F64 {
        setup.settings.tolerance = 1e-12;
        setup.settings.newton_tolerance = 1e-13;
        setup.settings.max_iterations = 200;
    }
    let whole = case.input(&setup.network);
    let label = format!("{} [{}, {}]", case.name, solver.name(), place(device));
    let (b, n) = (whole.batch, setup.network.neurons());
    let (u, u_dot) = (case.array("u"), case.array("u_dot"));
    let mut worst = [0.0_f64; 3];
    let mut count = 0;
    for (snapshot, s) in case.array("snap_steps").into_iter().enumerate() {
        let next = s as usize + 1;
        if next >= whole.steps {
            continue;
        }
        let input = case.single_step(&setup.network, &whole, snapshot);
        let out = match run(&setup, device, &input, &Record::default()) {
            Ok(out) => out,
            Err(e) => return report.fail(format!("{label}: {e}")),
        };
        if let Some(stop) = &out.stop {
            return report.fail(format!("{label}: step {next} stopped: {stop}"));
        }
        assert_eq!(out.solver, reported(&setup, solver), "{label}");
        let at = next * b * n..(next + 1) * b * n;
        let case_step = format!("{label}: step {next}");
        let most = [
            report.compare(&case_step, "u", &out.u, &u[at.clone()], &[b, n], case.tolerance(kind, "u")),
            report.compare(
                &case_step,
                "u_dot",
                &out.u_dot,
                &u_dot[at],
                &[b, n],
                case.tolerance(kind, "u_dot"),
            ),
            if next + 1 == whole.steps {
                let w = dense(&setup.network, &out.end.weights);
                report.compare(&case_step, "W", &w, &case.array("W_end"), &[n, n], case.tolerance(kind, "W"))
            } else {
                0.0
            },
        ];
        worst = std::array::from_fn(|i| worst[i].max(most[i]));
        count += 1;
    }
    let [u, u_dot, w] = worst;
    report.note(format!("{label}: {count} steps: u {u:.1e}, u_dot {u_dot:.1e}, W_end {w:.1e}"));
}

fn place(device: &Device) -> String {
    match device {
        Device::Cpu(precision) => precision.name().to_owned(),
        Device::Gpu(gpu) => gpu.name(),
    }
}

/// Runs that must end in a clean error at the right step, what came before intact.
pub fn failing(folder: &Path, device: &Device, report: &mut Report) {
    for case in runnable(folder, report) {
        let mut setup = case.setup();
        if device.precision() == Precision::F64 {
            setup.settings.tolerance = 1e-12;
        }
        let input = case.input(&setup.network);
        let out = run(&setup, device, &input, &Record::default()).unwrap();
        let name = format!("{} [{}]", case.name, place(device));
        let Some(stop) = &out.stop else {
            report.fail(format!("{name}: did not stop"));
            continue;
        };
        report.note(format!("{name}: {stop}"));
        assert_eq!(out.steps_completed, stop.step, "{name}");
        assert!(out.u.iter().chain(&out.u_dot).all(|v| v.is_finite()), "{name}");
        let expected = &case.entry["must_fail"];
        let step = expected["step"].as_u64().unwrap() as usize;
        match expected["kind"].as_str().unwrap() {
            "diverged" => {
                // An engine may stop earlier, never later.
                assert!(matches!(stop.reason, StopReason::Diverged { .. }), "{name}: {stop}");
                assert!(stop.step <= step, "{name}: {stop}");
            }
            "non_finite_input" => {
                assert!(matches!(stop.reason, StopReason::NonFiniteInput { .. }), "{name}: {stop}");
                assert_eq!(stop.step, step, "{name}: {stop}");
            }
            "indefinite_hessian" => {
                assert_eq!(stop.reason, StopReason::IndefiniteHessian, "{name}");
                assert_eq!(stop.step, step, "{name}: {stop}");
            }
            other => panic!("{name}: unknown kind of failure {other}"),
        }
        if device.precision() == Precision::F64 {
            // While nothing has grown yet, the run is that of the data.
            let calm = expected["first_step_with_abs_u_over"]["1e1"].as_u64().map_or(step, |s| s as usize);
            let len = calm.min(out.steps_completed) * out.batch * out.neurons;
            let shape = [calm, out.batch, out.neurons];
            report.compare(&name, "u", &out.u[..len], &case.array("u")[..len], &shape, 1e-9);
        }
    }
}
