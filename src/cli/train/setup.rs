//! From an experiment to what the trainer and the header of a run need.

use crate::config::Experiment;
use crate::dynamics::Solver;
use crate::engine::Device;
use crate::train::{Header, Material, Protocol, Rule, Tables, Trainer};
use crate::version;

/// What the trainer needs of an experiment beside network and data.
pub(super) fn protocol(e: &Experiment) -> Protocol {
    let (t, b) = (&e.training, &e.backprop);
    let (steps, rate_w, rate_b, rate_decay) = match t.rule {
        Rule::LeastAction => (t.steps_per_sample, e.rate_w, e.rate_b, t.rate_decay_per_epoch),
        Rule::Backprop => (1, b.learning_rate, b.bias_learning_rate, b.rate_decay_per_epoch),
    };
    Protocol {
        seed: e.seed,
        rule: t.rule,
        epochs: t.epochs,
        batch: t.batch,
        steps,
        ramp: t.ramp,
        gates: t.gates,
        beta: e.beta.clone(),
        rate_w,
        rate_b,
        rate_decay,
        schedule: e.schedule.clone(),
        step_ms: e.settings.dt_ms * (t.steps_per_sample / steps) as f64,
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
pub(super) fn header(e: &Experiment, data: &Material, device: &Device, trainer: &Trainer) -> Header {
    let model = trainer.model();
    let (solver, resident) = (model.solver, model.layout.resident);
    let p = protocol(e);
    Header {
        name: e.name.clone(),
        seed: e.seed,
        network: e.network.sizes(),
        parameters: e.network.weights() + e.network.neurons() - e.network.n_in(),
        activation: e.network.activation.name().into(),
        rule: p.rule.name().into(),
        rate: p.rate_w,
        rate_decay: p.rate_decay,
        schedule: p.schedule.to_string(),
        integrator: e.settings.describe(&e.network),
        solver: reported(solver, resident),
        tau_ms: e.settings.tau_ms,
        dt_ms: e.settings.dt_ms,
        steps: trainer.presentation_steps(),
        shown: if e.data.is_series() { "window" } else { "sample" }.into(),
        device: device.name(),
        driver: device.driver(),
        tiles: device.tiles(),
        precision: device.precision().name().into(),
        version: version::VERSION.into(),
        commit: version::COMMIT.into(),
        data: data.description().to_owned(),
        samples: data.counts(),
        batch: e.training.batch,
        epochs: e.training.epochs,
    }
}
