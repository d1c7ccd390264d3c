//! All that carries over from one presentation to the next: what a run needs to go on as if it had never stopped.

use super::{Need, Sink, Tally, TrainError};
use crate::engine::Carried;
use crate::network::Parameters;
use crate::probe::Recording;

/// The state of a run between two presentations. Random numbers are not in it: their streams are keyed by seed and epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The epoch that goes on, from 1; one more than there are epochs at the end of a run.
    pub epoch: usize,
    /// Mini-batches of that epoch that were presented.
    pub presented: usize,
    /// Samples of that epoch that were presented.
    pub done: usize,
    /// Solver iterations that a GPU records for each loop.
    pub iterations: usize,
    /// What the latest presentations needed of the solver and which does not count yet, in order.
    pub pending: Vec<Need>,
    /// Sums over the presentations of the epoch.
    pub tally: Tally,
    /// Weights and biases at the start of the epoch.
    pub parameters: Parameters,
    /// The buffers of the device.
    pub buffers: Vec<Carried>,
    /// Seconds that the run took so far.
    pub elapsed_s: f64,
    /// Seconds that the epoch took so far.
    pub epoch_s: f64,
}

/// Why a state is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It is time again; more will come.
    Periodic,
    /// The run was asked to stop: this is the last chance.
    Stop,
}

/// Keeps states of a run, so that it can go on from there.
pub trait Keeper {
    /// Whether it is time to keep a state. Asked after each mini-batch; whatever the answer, results are the same bits.
    fn due(&self) -> bool;

    /// Keeps a state. `sink` is told where that fails and the run can go on.
    ///
    /// # Errors
    /// If the run cannot go on, or should not because this was the last chance.
    fn keep(&mut self, state: &State, moment: Moment, sink: &mut dyn Sink) -> Result<(), TrainError>;

    /// Keeps what probes have recorded so far, in `epoch`: before each state, so that what comes after a state alone can be lost. `sink` is told
    /// where that fails.
    ///
    /// # Errors
    /// If the sink fails.
    fn record(
        &mut self,
        _recordings: &[Recording],
        _epoch: usize,
        _sink: &mut dyn Sink,
    ) -> Result<(), TrainError> {
        Ok(())
    }
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepNothing;

impl Keeper for KeepNothing {
    fn due(&self) -> bool {
        false
    }
    fn keep(&mut self, _: &State, _: Moment, _: &mut dyn Sink) -> Result<(), TrainError> {
        Ok(())
    }
}
