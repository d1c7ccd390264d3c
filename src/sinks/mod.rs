//! What listens to the events of a run: progress for people, JSON lines for programs, the folder of a run.

pub(crate) mod atomic;
pub mod clock;
mod group;
pub mod jsonl;
mod logging;
pub mod probes;
mod profile;
pub mod progress;
mod provenance;
pub mod run_dir;
pub mod seeds;
mod tensors;
pub mod text;

pub use group::{Group, result_of};
pub use jsonl::JsonLines;
pub use logging::init_logging;
pub use probes::{ProbeFiles, load_recording, save_recording};
pub use profile::table as profile_table;
pub use progress::Progress;
pub use provenance::Provenance;
pub(crate) use provenance::cpu_model;
pub(crate) use run_dir::advice;
pub use run_dir::{RunDir, RunDirError, Tensor};
pub use seeds::{SeedResult, SeedRow, SeedTable, Spread, about};
pub(crate) use tensors::encode_tensors;

use std::io;

use crate::train::{Event, Sink};

/// Passes each event to several sinks, in order.
#[derive(Default)]
pub struct Fanout(pub Vec<Box<dyn Sink>>);

impl Sink for Fanout {
    /// All sinks get the event, also after one has failed; the first error is returned.
    fn take(&mut self, event: &Event) -> io::Result<()> {
        self.0.iter_mut().map(|sink| sink.take(event)).fold(Ok(()), Result::and)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.iter_mut().map(|sink| sink.flush()).fold(Ok(()), Result::and)
    }
}
