//! Trajectories of an independent oracle (`tests/parity/README.md`) against the CPU path.
//!
//! Another folder of the same format is run through `LAGRANGE_PARITY_DIR`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::case::{cases, folder};
use common::compare::Report;
use common::parity::{runnable, single_steps, solvers, trajectory};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::simulate::{Record, StopReason, run};

/// Whole trajectories in f64, with every solver that applies.
#[test]
fn trajectories_in_double_precision() {
    let mut report = Report::default();
    for case in runnable(&folder(), &mut report) {
        for solver in solvers(&case.setup()) {
            trajectory(&case, solver, &mut report);
        }
    }
    report.finish();
}

/// A restart from any snapshot goes on as the run did.
#[test]
fn single_steps_in_double_precision() {
    single_steps_on(&Device::Cpu(Precision::F64));
}

/// Long f32 and f64 trajectories separate where zero pixels sit on a kink of ρ; single steps from the same state do not.
#[test]
fn single_steps_in_single_precision() {
    single_steps_on(&Device::Cpu(Precision::F32));
}

fn single_steps_on(device: &Device) {
    let mut report = Report::default();
    for case in runnable(&folder(), &mut report) {
        for solver in solvers(&case.setup()) {
            single_steps(&case, device, solver, &mut report);
        }
    }
    report.finish();
}

/// Runs that must end in a clean error, what came before intact.
#[test]
fn failing_cases_stop_where_they_must() {
    let folder = folder().join("failing");
    if !folder.exists() {
        println!("{}: none", folder.display());
        return;
    }
    let mut report = Report::default();
    let known: Vec<String> = runnable(&folder, &mut report).into_iter().map(|c| c.name).collect();
    for case in cases(&folder).into_iter().filter(|c| known.contains(&c.name)) {
        for precision in [Precision::F64, Precision::F32] {
            let mut setup = case.setup();
            if precision == Precision::F64 {
                setup.settings.tolerance = 1e-12;
            }
            let input = case.input(&setup.network);
            let out = run(&setup, &Device::Cpu(precision), &input, &Record::default()).unwrap();
            let name = format!("{} [{}]", case.name, precision.name());
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
            if precision == Precision::F64 {
                // While nothing has grown yet, the run is that of the data.
                let calm =
                    expected["first_step_with_abs_u_over"]["1e1"].as_u64().map_or(step, |s| s as usize);
                let len = calm.min(out.steps_completed) * out.batch * out.neurons;
                let shape = [calm, out.batch, out.neurons];
                report.compare(&name, "u", &out.u[..len], &case.array("u")[..len], &shape, 1e-9);
            }
        }
    }
    report.finish();
}
