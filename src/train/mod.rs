//! The trainer and its events.

mod advice;
mod error;
mod evaluate;
mod event;
mod presentation;
mod tally;
mod trainer;

pub use advice::{epoch_warnings, start_warnings};
pub use error::TrainError;
pub use evaluate::{Evaluator, Tables, read_parameters, write_parameters};
pub use event::{Epoch, Event, Header, Health, Score, Sink};
pub use presentation::{FREE, Gates, NUDGED, Ramp, Rule, backprop, controls, work};
pub use tally::Tally;
pub use trainer::{Protocol, Trainer};
