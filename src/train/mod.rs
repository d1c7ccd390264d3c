//! The trainer and its events.

mod advice;
mod completion;
mod error;
mod evaluate;
mod event;
mod feed;
mod flight;
mod presentation;
mod profile;
mod rehearsal;
mod state;
mod tally;
mod trainer;

pub use advice::{epoch_warnings, network_warnings, start_warnings};
pub use completion::{
    Completed, Completion, CompletionConfig, CompletionScore, Examiner, FreeChannels, NoChannel, Traces,
};
pub use error::TrainError;
pub use evaluate::{Evaluator, Outcome, Tables, read_parameters, write_parameters};
pub use event::{Epoch, Event, Header, Health, Sink, alignment_event};
pub use feed::{Material, SeriesTask};
pub use flight::Need;
pub(crate) use presentation::microcircuit as microcircuit_controls;
pub use presentation::{FREE, Gates, NUDGED, Ramp, Rule, backprop, controls, piece, slices, work};
pub use profile::Profile;
pub use rehearsal::rehearsal;
pub use state::{KeepNothing, Keeper, Moment, State};
pub use tally::{SUMS, Tally};
pub use trainer::{Protocol, Trainer};

pub use crate::evaluate::{Regression, Score};
