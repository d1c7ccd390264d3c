//! Trajectories of an independent oracle (`tests/parity/README.md`) against the CPU path.
//!
//! Another folder of the same format is run through `LAGRANGE_PARITY_DIR`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::case::folder;
use common::compare::Report;
use common::parity::{failing, runnable, single_steps, solvers, trajectory};
use lagrange_gpu::engine::{Device, Precision};

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
    for precision in [Precision::F64, Precision::F32] {
        failing(&folder, &Device::Cpu(precision), &mut report);
    }
    report.finish();
}
