//! The state of a trainer, taken out and put into another.

use std::time::Instant;

use super::Trainer;
use crate::network::Parameters;
use crate::train::flight::{Flight, Pass};
use crate::train::{State, Tally, TrainError};

impl Trainer<'_> {
    /// The state at the start of an epoch, of which nothing was presented yet.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn state_before(&mut self, epoch: usize) -> Result<State, TrainError> {
        self.state(&Pass::new(epoch, &self.model))
    }

    /// The state in the middle of an epoch, all of whose flights have landed.
    pub(super) fn state(&mut self, pass: &Pass) -> Result<State, TrainError> {
        let need = |flight: &Flight| if let Flight::Landed(need) = flight { Some(*need) } else { None };
        Ok(State {
            epoch: pass.epoch,
            presented: pass.presented,
            done: pass.tally.samples(),
            iterations: self.iterations,
            pending: pass.flights.iter().filter_map(need).collect(),
            tally: pass.tally.clone(),
            // Those of a microcircuit are in the buffers; only the change of W is told by epoch.
            parameters: Parameters { microcircuit: Default::default(), ..self.parameters.clone() },
            buffers: self.engine.export()?,
            elapsed_s: self.elapsed_s(),
            epoch_s: pass.seconds(),
        })
    }

    /// Goes on from a state of a run of the same network, settings, protocol and data; [`Trainer::epoch_keeping`] of its epoch comes next.
    ///
    /// # Errors
    /// If its buffers are not those of this model, or the device is lost.
    pub fn restore(&mut self, state: State) -> Result<(), TrainError> {
        self.engine.import(&state.buffers)?;
        self.active = self.engine.read(self.model.layout.active)?;
        self.iterations = state.iterations;
        self.parameters = state.parameters;
        self.parameters.microcircuit = self.engine.read_microcircuit()?;
        self.before_s = state.elapsed_s;
        self.started = Instant::now();
        self.restored = Some(Pass {
            presented: state.presented,
            tally: Tally::new(&self.model).with_sums(state.tally.sums()),
            flights: state.pending.into_iter().map(Flight::Landed).collect(),
            before_s: state.epoch_s,
            ..Pass::new(state.epoch, &self.model)
        });
        Ok(())
    }
}
