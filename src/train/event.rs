//! What a training run tells the world. The trainer emits events and prints nothing.

use serde::Serialize;

use super::{CompletionScore, Profile};
use crate::dynamics::Model;
use crate::evaluate::{Regression, Score};
use crate::network::{Alignment, Parameters, alignment};

/// What runs, where: known before the first step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Header {
    /// Name of the experiment.
    pub name: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// `784-300-100-10`.
    pub network: String,
    /// Number of weights and biases.
    pub parameters: usize,
    /// ρ.
    pub activation: String,
    /// How the network learns: `least-action` or `backprop`; with the latter nothing is integrated.
    pub rule: String,
    /// Learning rate of the weights in the first epoch, before the schedule: η, per ms, or of an update by backprop.
    pub rate: f64,
    /// The rate is multiplied by this after each epoch.
    pub rate_decay: f64,
    /// How the rate changes with simulated time.
    pub schedule: String,
    /// Integrator.
    pub integrator: String,
    /// Solver that really runs; empty for explicit schemes.
    pub solver: String,
    /// Membrane time constant, ms.
    pub tau_ms: f64,
    /// Time step, ms.
    pub dt_ms: f64,
    /// Time steps a presentation; 1 with backprop.
    pub steps: usize,
    /// What is presented: `sample`, or `window` of recordings.
    pub shown: String,
    /// Device that really runs.
    pub device: String,
    /// Backend and driver.
    pub driver: String,
    /// How an adapter tiles matrix products, and who chose that; empty for the processor.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tiles: String,
    /// Floating-point type.
    pub precision: String,
    /// Version of the program.
    pub version: String,
    /// Commit it was built from, `unknown` outside a checkout.
    pub commit: String,
    /// Where the data came from.
    pub data: String,
    /// Training, validation and test samples.
    pub samples: [usize; 3],
    /// Trajectories at once.
    pub batch: usize,
    /// Epochs.
    pub epochs: usize,
}

/// Sums over a number of presentations that tell whether to trust a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Health {
    /// Mean ‖f‖ at the end of a presentation, while learning; of recordings the mean over all steps, before the voltages move.
    pub f_norm: f64,
    /// Mean Lagrangian L at the end of a presentation.
    pub lagrangian: f64,
    /// Mean solver iterations of a step.
    pub iterations: f64,
    /// Largest number of solver iterations in a step.
    pub most_iterations: f64,
    /// Largest relative residual that the solver left.
    pub residual: f64,
    /// Share of saturated hidden neurons (ρ' below 5 % of its maximum).
    pub saturated: f64,
    /// Largest |u|.
    pub max_u: f64,
    /// Steps times trajectories with an indefinite H.
    pub indefinite: u64,
    /// Steps times trajectories in which the solver did not reach its tolerance.
    pub unconverged: u64,
}

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Of so many.
    pub epochs: usize,
    /// Mean cost `½‖u* − a_o‖²` of the basal prediction during training.
    pub loss: f64,
    /// Share of training samples whose basal prediction was right while they were learned; `None` where there are no classes.
    pub train_accuracy: Option<f64>,
    /// Share of validation samples; `None` without a validation set.
    pub validation_accuracy: Option<f64>,
    /// Mean cost on the validation set; of recordings, of a row over the free electrodes.
    pub validation_loss: Option<f64>,
    /// Mean R² of the outputs on the validation set, of recordings of the free electrodes; `None` without one, and where there are classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_r2: Option<f64>,
    /// Simulated time at its end since the start of the run, ms.
    pub simulated_ms: f64,
    /// Learning rate in its last step: η, per ms, or of an update by backprop.
    pub rate_per_ms: f64,
    /// Mean |ΔW| over all weights, this epoch.
    pub mean_abs_weight_change: f64,
    /// Samples per second of wall time, training alone.
    pub samples_per_s: f64,
    /// Time steps per second (each advances a whole batch), training alone.
    pub steps_per_s: f64,
    /// Seconds since the start of the run.
    pub elapsed_s: f64,
    /// Expected seconds to the end of the run.
    pub eta_s: f64,
    /// What tells whether to trust the epoch.
    pub health: Health,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Before the first step.
    Started(Box<Header>),
    /// After a mini-batch.
    Batch {
        /// From 1.
        epoch: usize,
        /// Of so many.
        epochs: usize,
        /// Samples of this epoch that were presented; of recordings, time steps of trajectories.
        done: usize,
        /// Samples of an epoch; as `done`.
        of: usize,
        /// Mean cost of this mini-batch.
        loss: f64,
        /// Simulated time at its end since the start of the run, ms.
        simulated_ms: f64,
        /// Learning rate in its last step: η, per ms, or of an update by backprop.
        rate_per_ms: f64,
        /// Samples per second so far in this epoch.
        samples_per_s: f64,
    },
    /// After an epoch, validation included.
    Epoch(Epoch),
    /// After an epoch of a network with a microcircuit: how far feedback and interneurons are aligned.
    Alignment {
        /// From 1.
        epoch: usize,
        /// The free populations that feedback runs into.
        populations: Vec<Alignment>,
    },
    /// Something that a user should know, with what to do about it.
    Warning {
        /// From 1; 0 before the first.
        epoch: usize,
        /// Short name: `indefinite`, `unconverged`, `saturated`, `stability`, `start`, `unreached`.
        kind: String,
        /// What, where, and what to do.
        message: String,
    },
    /// The test set, read once at the end.
    Tested(Score),
    /// The test set of samples with targets, read once at the end.
    Fitted(Regression),
    /// The test part of recordings, read once at the end: free electrodes predicted by the network and by baselines.
    Completed(CompletionScore),
    /// Where the time went, after the last epoch, if that was asked for.
    Profiled(Profile),
    /// The run is complete.
    Finished {
        /// Seconds of wall time.
        elapsed_s: f64,
    },
}

/// The angles of a microcircuit after an epoch; `None` for a network that has none.
#[must_use]
pub fn alignment_event(model: &Model, parameters: &Parameters, epoch: usize) -> Option<Event> {
    let populations = alignment(&model.network, parameters);
    (!populations.is_empty()).then_some(Event::Alignment { epoch, populations })
}

/// Listens to events.
pub trait Sink {
    /// Takes one event.
    ///
    /// # Errors
    /// If the sink cannot keep it (disk full, say); the message says what and where.
    fn take(&mut self, event: &Event) -> std::io::Result<()>;

    /// Hands on what it still holds back, so that everything taken so far is where it belongs.
    ///
    /// # Errors
    /// As [`Sink::take`].
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
