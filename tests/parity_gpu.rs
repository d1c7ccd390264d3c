//! The GPU against the trajectories of an independent oracle (`tests/parity/README.md`) and against dense matrices, on every adapter, with
//! every solver that applies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::case::folder;
use common::compare::Report;
use common::parity::{failing, runnable, single_steps, solvers};
use common::zoo::random_networks;
use lagrange_gpu::dynamics::Solver;
use lagrange_gpu::engine::Device;
use lagrange_gpu::gpu::{Choice, adapters, open};

fn devices() -> Vec<Device> {
    adapters().iter().map(|a| Device::Gpu(open(&Choice::Index(a.index)).unwrap())).collect()
}

/// Single steps from the same state: long f32 and f64 trajectories separate where zero pixels sit on a kink of ρ.
#[test]
fn single_steps_on_every_adapter() {
    let mut report = Report::default();
    for device in devices() {
        for case in runnable(&folder(), &mut report) {
            for solver in solvers(&case.setup()) {
                single_steps(&case, &device, solver, &mut report);
            }
        }
    }
    report.finish();
}

/// Weight blocks that an adapter cannot bind are kept in several buffers of whole rows: here of one to three rows each.
#[test]
fn single_steps_with_weights_in_parts() {
    let mut report = Report::default();
    let device = open(&Choice::Index(adapters()[0].index)).unwrap().with_block_limit(64);
    for case in runnable(&folder(), &mut report).iter().filter(|case| !case.name.starts_with("p26")) {
        single_steps(case, &Device::Gpu(device.clone()), Solver::Auto, &mut report);
    }
    report.finish();
}

#[test]
fn failing_cases_stop_where_they_must_on_every_adapter() {
    let mut report = Report::default();
    let folder = folder().join("failing");
    if folder.exists() {
        devices().iter().for_each(|device| failing(&folder, device, &mut report));
    }
    report.finish();
}

/// Features that the parity data does not have; the tolerance is that of the f32 CPU path in `dense_oracle.rs`.
#[test]
fn random_networks_agree_with_dense_matrices_on_every_adapter() {
    let mut report = Report::default();
    for device in devices() {
        random_networks(4, &device, 2e-6, &mut report);
    }
    report.finish();
}
