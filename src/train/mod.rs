//! The trainer and its events.

mod advice;
mod error;
mod evaluate;
mod event;
mod flight;
mod presentation;
mod state;
mod tally;
mod trainer;

pub use advice::{epoch_warnings, start_warnings};
pub use error::TrainError;
pub use evaluate::{Evaluator, Tables, read_parameters, write_parameters};
pub use event::{Epoch, Event, Header, Health, Sink, alignment_event};
pub use flight::Need;
pub use presentation::{FREE, Gates, NUDGED, Ramp, Rule, backprop, controls, work};
pub use state::{KeepNothing, Keeper, Moment, State};
pub use tally::{SUMS, Tally};
pub use trainer::{Protocol, Trainer};

pub use crate::evaluate::Score;
