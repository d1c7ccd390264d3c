//! From an experiment to what the trainer and the header of a run need.

use crate::config::Experiment;
use crate::data::Dataset;
use crate::dynamics::{Model, Solver};
use crate::engine::Device;
use crate::train::{Header, Protocol, Tables};
use crate::version;

/// What the trainer needs of an experiment beside network and data.
pub(super) fn protocol(e: &Experiment) -> Protocol {
    Protocol {
        seed: e.seed,
        epochs: e.training.epochs,
        batch: e.training.batch,
        steps: e.training.steps_per_sample,
        ramp: e.training.ramp,
        gates: e.training.gates,
        beta: e.beta.clone(),
        rate_w: e.rate_w,
        rate_b: e.rate_b,
        rate_decay: e.training.rate_decay_per_epoch,
        tables: Tables::from(e.data.encoding),
    }
}

/// What ran: the solver, and whether the weights of the input were resident.
fn reported(solver: Option<Solver>, resident: bool) -> String {
    let mut parts: Vec<&str> = solver.map(Solver::name).into_iter().collect();
    if resident {
        parts.push("resident weights");
    }
    parts.join(", ")
}

/// What runs, where: for the first lines and the provenance of a run.
pub(super) fn header(e: &Experiment, data: &Dataset, device: &Device, model: &Model) -> Header {
    let (solver, resident) = (model.solver, model.layout.resident);
    Header {
        name: e.name.clone(),
        seed: e.seed,
        network: e.network.sizes(),
        parameters: e.network.weights() + e.network.neurons() - e.network.n_in(),
        activation: e.network.activation.name().into(),
        integrator: e.settings.integrator.name().into(),
        solver: reported(solver, resident),
        tau_ms: e.settings.tau_ms,
        dt_ms: e.settings.dt_ms,
        steps: e.training.steps_per_sample,
        device: device.name(),
        driver: device.driver(),
        precision: device.precision().name().into(),
        version: version::VERSION.into(),
        commit: version::COMMIT.into(),
        data: data.description.clone(),
        samples: data.counts(),
        batch: e.training.batch,
        epochs: e.training.epochs,
    }
}
