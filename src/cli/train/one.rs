//! One training run, from a resolved experiment to its score.

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use super::setup::{header, protocol};
use crate::checkpoint::save_parameters;
use crate::cli::Failure;
use crate::cli::interrupt::Interrupt;
use crate::config::Experiment;
use crate::data::Dataset;
use crate::engine::Device;
use crate::network::Parameters;
use crate::sinks::{Fanout, Provenance, RunDir, RunDirError};
use crate::train::{Event, Header, Score, Sink, TrainError, Trainer, epoch_warnings, start_warnings};

/// Where a run starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Resume {
    /// At the beginning, in a new run directory.
    No,
}

/// What a complete run leaves.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Outcome {
    /// On the test set.
    #[allow(dead_code)] // Read by whoever runs several experiments.
    pub score: Score,
    /// The run directory.
    pub directory: PathBuf,
}

/// Trains one experiment in a run directory of its own and tests it. `progress` listens beside the metrics of the run.
///
/// # Errors
/// What stopped the run, with the run directory in the message; [`Failure::Interrupted`] after a signal.
pub(in crate::cli) fn run_one(
    e: &Experiment,
    data: &Dataset,
    device: &Device,
    interrupt: &Interrupt,
    progress: Box<dyn Sink>,
    resume: &Resume,
) -> Result<Outcome, Failure> {
    let Resume::No = resume;
    let parameters = Parameters::draw(&e.network, &e.weight_init, &e.bias_init, e.seed);
    let mut trainer =
        Trainer::new(e.network.clone(), e.settings, parameters, protocol(e), data, device, interrupt.stop())
            .map_err(Failure::run)?;
    let header = header(e, data, device, trainer.model());
    let dir = open_dir(e, &header).map_err(Failure::run)?;
    let metrics = dir.metrics().map_err(Failure::run)?;
    let mut sinks = Fanout(vec![progress, Box::new(metrics)]);
    let done = follow(e, &mut trainer, header, &dir, &mut sinks);
    let saved = |what: &str| format!("{what}; the run directory is {}", dir.path().display());
    match done {
        Ok(Ended::Complete(score)) => {
            dir.finish(SystemTime::now()).map_err(Failure::run)?;
            Ok(Outcome { score, directory: dir.path().to_path_buf() })
        }
        Ok(Ended::Interrupted(epoch)) => {
            let what = saved(&format!("stopped in epoch {epoch}, parameters saved"));
            Err(Failure::Interrupted { what, code: interrupt.code() })
        }
        Err(Failure::Run(error)) => Err(Failure::Run(error.context(saved("the run failed")))),
        Err(other) => Err(other),
    }
}

/// The run directory with all that is known before the first step.
fn open_dir(e: &Experiment, header: &Header) -> Result<RunDir, RunDirError> {
    let dir = RunDir::create(&e.run.directory, &e.name, e.seed, SystemTime::now())?;
    dir.write_config(&e.to_toml())?;
    dir.write_provenance(&Provenance::new(header, dir.started()))?;
    Ok(dir)
}

enum Ended {
    Complete(Score),
    Interrupted(usize),
}

/// All epochs, then the test set. Parameters are saved after every epoch: a failure later loses nothing before it.
fn follow(
    e: &Experiment,
    trainer: &mut Trainer,
    header: Header,
    dir: &RunDir,
    sinks: &mut Fanout,
) -> Result<Ended, Failure> {
    let started = Instant::now();
    let failed = |error: TrainError| Failure::run(error);
    let tell = |sinks: &mut Fanout, event: Event| sinks.take(&event).map_err(Failure::run);
    tell(sinks, Event::Started(header))?;
    for warning in start_warnings(trainer.model(), trainer.parameters(), &e.beta) {
        tell(sinks, warning)?;
    }
    for number in 1..=e.training.epochs {
        let epoch = trainer.epoch(number, sinks).map_err(failed)?;
        save_parameters(dir, &e.network, trainer.parameters(), number, epoch.is_some()).map_err(Failure::run)?;
        let Some(epoch) = epoch else { return Ok(Ended::Interrupted(number)) };
        let steps = (trainer.samples() * e.training.steps_per_sample) as f64;
        let warnings = epoch_warnings(trainer.model(), &epoch, steps);
        tell(sinks, Event::Epoch(epoch))?;
        for warning in warnings {
            tell(sinks, warning)?;
        }
    }
    let score = trainer.test().map_err(failed)?;
    dir.write_score(&score).map_err(Failure::run)?;
    tell(sinks, Event::Tested(score.clone()))?;
    tell(sinks, Event::Finished { elapsed_s: started.elapsed().as_secs_f64() })?;
    Ok(Ended::Complete(score))
}
