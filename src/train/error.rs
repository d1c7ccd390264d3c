//! Why a run stopped.

use super::Rule;
use crate::cpu::status;
use crate::data::DataError;
use crate::dynamics::{Dynamics, Integrator, Model, SettingsError};
use crate::engine::{EngineError, Snapshot};
use crate::evaluate::EvaluateError;
use crate::kernels::solver;
use crate::probe::ProbeError;

/// Why a training run stopped. What was computed before is kept: the run directory holds the parameters of the last complete
/// epoch.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The network and settings do not fit one another.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Backprop of a network with other than forward projections.
    #[error("backprop, the control, needs a feedforward network; the projection {0} does not run forward")]
    NeedsFeedforward(String),
    /// Backprop of a time series.
    #[error("backprop, the control, learns static samples; of recordings use the rule \"least-action\"")]
    NeedsSamples,
    /// A test by classes of a network that learns something else.
    #[error("these data have no classes: the network is tested by targets, or by completion")]
    NoClasses,
    /// A test part that is over before anything counts.
    #[error(
        "no row of the test or validation part is scored: it is shorter than completion.settle-ms; take a longer part or less time to settle"
    )]
    NothingScored,
    /// The baselines of a test by completion.
    #[error(transparent)]
    Baselines(#[from] crate::completion::FitError),
    /// The device.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A probe that cannot record.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The validation or test set.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// A sink could not keep an event.
    #[error("an event could not be written: {0}")]
    Sink(#[from] std::io::Error),
    /// The state of the run could not be kept when that was the last chance.
    #[error(transparent)]
    Unsaved(Box<dyn std::error::Error + Send + Sync>),
    /// The data do not fit the network, or cannot be handed out.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A value that is not finite, or a voltage over the limit.
    #[error(
        "{what} in epoch {epoch}, mini-batch {batch}, step {step}, trajectory {trajectory}, neuron {neuron} of population '{population}'; {advice}"
    )]
    Bad {
        /// What was found.
        what: &'static str,
        /// From 1.
        epoch: usize,
        /// From 1.
        batch: usize,
        /// From 0, within the presentation.
        step: usize,
        /// Row of the mini-batch.
        trajectory: usize,
        /// Index within its population.
        neuron: usize,
        /// Name of its population.
        population: String,
        /// What to do.
        advice: String,
    },
    /// H is indefinite and the settings ask to stop there.
    #[error(
        "H is not positive definite in epoch {epoch}, mini-batch {batch}, trajectory {trajectory}; use smaller weights or a smaller beta, or go on with `on-indefinite = \"fallback\"`"
    )]
    Indefinite {
        /// From 1.
        epoch: usize,
        /// From 1.
        batch: usize,
        /// Row of the mini-batch.
        trajectory: usize,
    },
}

/// What the status words of a snapshot say, if anything is wrong.
pub(super) fn verdict(
    model: &Model,
    rule: Rule,
    snapshot: &Snapshot,
    epoch: usize,
    batch: usize,
) -> Option<TrainError> {
    let rows = [
        (status::INPUT, "an input or target that is not finite"),
        (status::STATE, "a voltage that is not finite"),
        (status::LIMIT, "a voltage beyond u-limit (divergence)"),
    ];
    let size = model.layout.batch;
    let neurons = model.network.neurons();
    // The earliest step counts, whatever its kind.
    let first = rows
        .iter()
        .flat_map(|&(row, what)| (0..size).map(move |b| (row, b, what)))
        .filter_map(|(row, b, what)| {
            status::decode(snapshot.status[row * size + b], neurons).map(|at| (at, row, b, what))
        })
        .min_by_key(|&((step, _), row, ..)| (step, std::cmp::Reverse(row)));
    let ((step, index), row, trajectory, what) = first?;
    let (population, neuron) = locate(model, index);
    let advice = if row == status::INPUT {
        "look for NaN or infinity in the data".into()
    } else {
        advice(model, rule)
    };
    Some(TrainError::Bad { what, epoch, batch, step, trajectory, neuron, population, advice })
}

/// Whether a trajectory had an indefinite H.
pub(super) fn indefinite(
    model: &Model,
    snapshot: &Snapshot,
    epoch: usize,
    batch: usize,
) -> Option<TrainError> {
    let mut rows = snapshot.solver.chunks_exact(solver::LEN).take(model.layout.batch);
    let trajectory = rows.position(|row| row[solver::INDEFINITE] > 0.0)?;
    Some(TrainError::Indefinite { epoch, batch, trajectory })
}

fn locate(model: &Model, index: usize) -> (String, usize) {
    let net = &model.network;
    if index >= net.neurons() {
        return ("target".into(), index - net.neurons());
    }
    let at = (0..net.populations.len()).find(|&p| net.cols(p).range().contains(&index)).unwrap_or(0);
    (net.populations[at].name.clone(), index - net.cols(at).start)
}

fn advice(model: &Model, rule: Rule) -> String {
    let set = &model.settings;
    if rule == Rule::Backprop {
        return "lower the learning rates of [backprop]".into();
    }
    if set.dynamics == Dynamics::GradientFlow {
        return "take a smaller dt-ms (u̇ = −f/τ is stable for dt < 2τ over the largest eigenvalue of H), or lower beta or the learning rates".into();
    }
    match set.integrator {
        Integrator::Exact | Integrator::Equilibrium => {
            "lower the learning rates, take a smaller dt-ms, or let the ramp take longer".into()
        }
        scheme => {
            let (low, high) = scheme.stable(set.dt_ms / set.tau_ms);
            format!(
                "'{}' is stable only while the eigenvalues of H lie in ({low:.3}, {high:.3}), so for beta < {:.3} at most: lower beta or the learning rates, or use `integrator = \"exact\"`",
                scheme.name(),
                high - 1.0
            )
        }
    }
}
