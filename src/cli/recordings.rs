//! What `eval` and `predict` do where the data are recordings: the network follows a part of them, with the outputs nudged that are not free.

use std::path::{Path, PathBuf};

use super::dataset::{self, Loaded as Data};
use super::evaluate::{self, Begun};
use super::{Failure, device, tiles};
use crate::checkpoint::parameters::Loaded;
use crate::completion::Table;
use crate::config::Experiment;
use crate::data::series::{SeriesSet, Span};
use crate::engine::Device;
use crate::evaluate::{EvaluateError, Follower, Slice, Trouble};
use crate::train::{Completion, Examiner, TrainError};

/// A network and the recordings that it follows.
pub(super) struct Recordings {
    pub experiment: Experiment,
    pub set: SeriesSet,
    pub completion: Completion,
    pub device: Device,
    /// File of the parameters.
    pub file: PathBuf,
    /// `train`, `validation` or `test`.
    pub part: String,
    pub about: Loaded,
}

/// Opens data and device.
pub(super) fn open(begun: Begun<'_>, input: Option<&Path>) -> Result<Recordings, Failure> {
    let Begun { args, experiment: mut e, file, about } = begun;
    let part = args.part.clone();
    let own = input.map(|path| path.display().to_string());
    if let Some(own) = own.or_else(|| (!evaluate::PARTS.contains(&part.as_str())).then(|| part.clone())) {
        return Err(Failure::usage(anyhow::anyhow!(
            "{own}: the network of this experiment follows recordings, not samples; give the experiment with \
             another data.path (--config FILE) for another recording, and choose the part with --data train, validation or test"
        )));
    }
    if args.trajectory {
        return Err(Failure::usage(anyhow::anyhow!(
            "--trajectory: a network that follows recordings is always read along its trajectory; leave it out"
        )));
    }
    let Data::Series(set, completion) = dataset::load_any(&mut e, &args.folder)? else {
        return Err(Failure::usage(anyhow::anyhow!(
            "the experiment has no section [completion], which says what is to be predicted"
        )));
    };
    let device = tiles::Tiled::new(device::open(&e.run.device, e.run.precision)?, &args.tiles)?;
    let rehearsal = || {
        Follower::rehearsal(&e.network, e.settings, &set, spans(&set, &part).len())
            .map_err(|error| failed(TrainError::Evaluate(error)))
    };
    let device = device.settle(None, rehearsal)?;
    let opened = Recordings { experiment: e, set, completion, device, file, part, about };
    if opened.spans().is_empty() {
        return Err(Failure::usage(anyhow::anyhow!(
            "--data {}: the experiment sets nothing of the recording aside for that (data.{}-s)",
            opened.part,
            opened.part
        )));
    }
    Ok(opened)
}

/// A part of the recordings.
fn spans<'a>(set: &'a SeriesSet, part: &str) -> &'a [Span] {
    match part {
        "train" => &set.train,
        "validation" => &set.validation,
        _ => &set.test,
    }
}

impl Recordings {
    /// The part that is followed.
    pub(super) fn spans(&self) -> &[Span] {
        spans(&self.set, &self.part)
    }

    /// Follows the part; `each` sees every row. Says what went on that a reader of the results should know.
    pub(super) fn follow(&mut self, each: impl FnMut(Slice<'_>)) -> Result<(Table, Trouble), Failure> {
        let (e, how) = (&self.experiment, self.completion.clone());
        let mut examiner =
            Examiner::of_parts(&self.set, how, &e.network, e.settings, &self.device, &[self.spans()])
                .map_err(failed)?;
        let table = examiner.part(&self.about.parameters, self.spans(), each).map_err(failed)?;
        let trouble = examiner.trouble();
        evaluate::warn_of(trouble, e);
        Ok((table, trouble))
    }

    /// A few lines that say what is evaluated.
    pub(super) fn header(&self) -> String {
        let (free, all) = (self.completion.free.len(), self.set.targets());
        let beta = self.completion.beta.iter().fold(0.0_f64, |most, &beta| most.max(beta));
        let readout = format!(
            "trajectory along the recording, {free} of {all} outputs free, the others nudged with β = {beta}"
        );
        let data = format!("{}, {} part", self.set.description, self.part);
        evaluate::header(&self.experiment, (&self.file, &self.about), &readout, &data, &self.device)
    }
}

/// The exit code of a test that stopped.
fn failed(error: TrainError) -> Failure {
    match error {
        TrainError::Evaluate(EvaluateError::Settings(error)) => Failure::usage(error),
        other => Failure::run(other),
    }
}
