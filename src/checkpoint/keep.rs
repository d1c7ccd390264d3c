//! When checkpoints of a run are written, and what happens if that fails.

use std::fs::File;
use std::time::{Duration, Instant};

use super::{Best, Checkpoint, CheckpointError, Folder, Identity};
use crate::network::Network;
use crate::train::{Event, Keeper, Moment, Sink, State, TrainError};

/// Keeps the states of a run in its folder of checkpoints.
#[derive(Debug)]
pub struct Checkpoints {
    folder: Folder,
    identity: Identity,
    network: Network,
    /// `metrics.jsonl`: it has to be on disk before a state that comes after it.
    metrics: File,
    every: Duration,
    keep: usize,
    last: Instant,
    best: Option<Best>,
}

impl Checkpoints {
    /// In `folder`, one in `every` at most within an epoch, the last `keep` of them; `best` is the best epoch so far.
    #[must_use]
    pub fn new(
        folder: Folder,
        identity: Identity,
        network: Network,
        metrics: File,
        (every, keep): (Duration, usize),
        best: Option<Best>,
    ) -> Self {
        Self { folder, identity, network, metrics, every, keep, last: Instant::now(), best }
    }

    /// Keeps the state after an epoch, with the accuracy that it had on the validation set.
    ///
    /// # Errors
    /// [`CheckpointError`]; older checkpoints are unharmed.
    pub fn after_epoch(
        &mut self,
        epoch: usize,
        state: &State,
        accuracy: Option<f64>,
        sink: &mut dyn Sink,
    ) -> Result<(), CheckpointError> {
        let better = |accuracy: &f64| self.best.is_none_or(|best| *accuracy > best.accuracy);
        let best = accuracy.filter(better).map(|accuracy| Best { epoch, accuracy });
        self.best = best.or(self.best);
        self.save(state, best.is_some(), sink)
    }

    fn save(&mut self, state: &State, is_best: bool, sink: &mut dyn Sink) -> Result<(), CheckpointError> {
        let saved = sink
            .flush()
            .and_then(|()| self.metrics.sync_data())
            .map_err(|source| {
                CheckpointError::write(&self.folder.path().with_file_name("metrics.jsonl"), source)
            })
            .and_then(|()| {
                let (identity, best) = (self.identity.clone(), self.best);
                let checkpoint = Checkpoint { identity, state: state.clone(), best };
                self.folder.write(&checkpoint, &self.network, self.keep, is_best)
            });
        // From its end on: however long it takes, there is time for work in between.
        self.last = Instant::now();
        saved.map(drop)
    }
}

/// The warning that something could not be saved and the run goes on.
#[must_use]
pub fn unsaved(epoch: usize, error: &impl std::fmt::Display) -> Event {
    let message = format!("{error}; the run goes on and will try again, what was saved before is unharmed");
    Event::Warning { epoch, kind: "checkpoint".into(), message }
}

impl Keeper for Checkpoints {
    fn due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    fn keep(&mut self, state: &State, moment: Moment, sink: &mut dyn Sink) -> Result<(), TrainError> {
        match (self.save(state, false, sink), moment) {
            (Ok(()), _) => Ok(()),
            (Err(error), Moment::Periodic) => Ok(sink.take(&unsaved(state.epoch, &error))?),
            (Err(error), Moment::Stop) => Err(TrainError::Unsaved(Box::new(error))),
        }
    }
}
