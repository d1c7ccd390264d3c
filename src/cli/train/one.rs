//! One training run, from a resolved experiment to its score.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::resume::{self, Note, Resume, Resumed, shell};
use super::setup::{header, protocol};
use crate::checkpoint::{Checkpoints, Cut, Folder, Found, Identity, Lock, save_parameters, unsaved};
use crate::cli::dataset::Loaded;
use crate::cli::interrupt::Interrupt;
use crate::cli::tiles::Tiled;
use crate::cli::{Failure, plot, say};
use crate::config::Experiment;
use crate::engine::Precision;
use crate::network::{MicrocircuitParameters, Parameters};
use crate::probe::Recording;
use crate::sinks::{Fanout, ProbeFiles, Provenance, RunDir, clock};
use crate::train::{
    Epoch, Event, Header, Keeper, Moment, Rule, Sink, State, TrainError, Trainer, alignment_event,
    epoch_warnings, rehearsal, start_warnings,
};

/// What a complete run leaves.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Outcome {
    /// The run directory.
    pub directory: PathBuf,
}

/// Trains one experiment in a run directory of its own, or goes on in that of an earlier run, and tests it. `progress` listens beside the
/// metrics of the run; with `profile` each kernel is timed.
///
/// # Errors
/// What stopped the run, with the run directory in the message; [`Failure::Interrupted`] after a signal.
pub(in crate::cli) fn run_one(
    e: &Experiment,
    data: &Loaded,
    device: &Tiled,
    interrupt: &Interrupt,
    progress: Box<dyn Sink>,
    resume: &Resume,
    profile: bool,
) -> Result<Outcome, Failure> {
    let material = data.material(e);
    let mut identity = Identity::new(e, material.clone(), &device.device);
    let resumed = resume::find(e, &identity, resume)?;
    let then = resumed.as_ref().and_then(|r| Some(&r.from.as_ref()?.checkpoint.identity));
    let device = &device.settle(then, || {
        rehearsal(&e.network, e.settings, &protocol(e), material.clone()).map_err(Failure::run)
    })?;
    device.profile().clone_into(&mut identity.tiles);
    let mut parameters = Parameters::draw(&e.network, &e.weight_init, &e.bias_init, e.seed);
    if let Some(init) = &e.microcircuit_init {
        parameters.microcircuit = MicrocircuitParameters::draw(&e.network, init, e.seed);
    }
    let drawn = parameters.clone();
    let (network, stop) = (e.network.clone(), interrupt.stop());
    let mut trainer =
        Trainer::new(network, e.settings, parameters, protocol(e), material.clone(), device, stop)
            .map_err(Failure::run)?;
    if profile {
        trainer.watch_kernels().map_err(Failure::run)?;
    }
    let header = header(e, &material, device, &trainer);
    let (dir, _lock) = open_dir(e, data, &header, resumed.as_ref())?;
    let run = Run { e, identity, dir, drawn };
    let probes = ProbeFiles::new(run.dir.path(), device.precision() == Precision::F32);
    let begun = run.begin(&mut trainer, progress, header, resumed, probes);
    let done = begun.and_then(|mut begun| {
        let done = run.follow(&mut trainer, &mut begun);
        if done.is_err() {
            // What led to a failure is worth most; the failure itself is what is told.
            let _ = begun.keeper.probes.save(trainer.recordings(), 0, &mut begun.sinks);
        }
        done
    });
    let place = |what: &str| format!("{what}; the run directory is {}", run.dir.path().display());
    match done {
        Ok(Ended::Complete) => {
            run.dir.finish(SystemTime::now()).map_err(Failure::run)?;
            plot::after_training(run.dir.path());
            Ok(Outcome { directory: run.dir.path().to_path_buf() })
        }
        Ok(Ended::Interrupted(epoch)) => {
            let what = place(&format!("stopped in epoch {epoch}, parameters and a checkpoint saved"));
            let what = format!("{what}\nto go on: lagrange-gpu train --resume {}", shell(run.dir.path()));
            Err(Failure::Interrupted { what, code: interrupt.code() })
        }
        Err(Failure::Run(error)) => Err(Failure::Run(error.context(place("the run failed")))),
        Err(other) => Err(other),
    }
}

/// The run directory with all that is known before the first step; locked.
fn open_dir(
    e: &Experiment,
    data: &Loaded,
    header: &Header,
    resumed: Option<&Resumed>,
) -> Result<(RunDir, Option<Lock>), Failure> {
    let now = SystemTime::now();
    let dir = match resumed {
        None => RunDir::create(&e.run.directory, &e.name, e.seed, now).map_err(Failure::run)?,
        Some(resumed) => RunDir::open(&resumed.dir, now),
    };
    let lock = resume::lock(dir.path())?;
    if resumed.is_none_or(|resumed| resumed.from.is_none()) {
        dir.write_config(&e.to_toml()).map_err(Failure::run)?;
        dir.write_provenance(&Provenance::new(header, dir.started())).map_err(Failure::run)?;
        if let Loaded::Values(_, Some(scaling)) = data {
            dir.write_scaling(scaling).map_err(Failure::run)?;
        }
    }
    Ok((dir, lock))
}

/// How a run ended, if nothing went wrong.
enum Ended {
    Complete,
    Interrupted(usize),
}

/// A run that is ready for its next epoch.
struct Begun {
    sinks: Fanout,
    keeper: Files,
    epoch: usize,
}

/// What is kept on the way: states, and before each of them what probes have recorded.
struct Files {
    checkpoints: Checkpoints,
    probes: ProbeFiles,
}

impl Keeper for Files {
    fn due(&self) -> bool {
        self.checkpoints.due()
    }

    fn keep(&mut self, state: &State, moment: Moment, sink: &mut dyn Sink) -> Result<(), TrainError> {
        self.checkpoints.keep(state, moment, sink)
    }

    fn record(
        &mut self,
        recordings: &[Recording],
        epoch: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), TrainError> {
        Ok(self.probes.save(recordings, epoch, sink)?)
    }
}

/// A run in its directory.
struct Run<'a> {
    e: &'a Experiment,
    identity: Identity,
    dir: RunDir,
    /// Parameters before training.
    drawn: Parameters,
}

impl Run<'_> {
    /// Opens the metrics and tells what runs; or brings trainer and metrics to where the run goes on.
    fn begin(
        &self,
        trainer: &mut Trainer,
        mut progress: Box<dyn Sink>,
        header: Header,
        resumed: Option<Resumed>,
        probes: ProbeFiles,
    ) -> Result<Begun, Failure> {
        let cut = resumed.as_ref().map_or(Ok(Cut::nothing()), Resumed::cut)?;
        let from = resumed.and_then(|resumed| resumed.from);
        let (best, epoch) =
            from.as_ref().map_or((None, 1), |f| (f.checkpoint.best, f.checkpoint.state.epoch));
        let mut events = Vec::new();
        let new = |probe| Recording::new(probe, trainer.model());
        let mut recordings =
            self.e.probes.iter().map(new).collect::<Result<Vec<_>, _>>().map_err(Failure::usage)?;
        if let Some(from) = from {
            let state = &from.checkpoint.state;
            let steps = trainer.steps_before(state.epoch, state.presented);
            events.extend(probes.resume(&mut recordings, steps, state.epoch));
            // The metrics have it already.
            progress.take(&Event::Started(Box::new(header))).map_err(Failure::run)?;
            events.extend(resume::warnings(&from, &self.identity, cut.complete));
            self.restore(trainer, from)?;
        } else {
            events.push(Event::Started(Box::new(header)));
            // Nothing is integrated by backprop.
            if self.e.training.rule == Rule::LeastAction {
                events.extend(start_warnings(
                    trainer.model(),
                    trainer.parameters(),
                    &self.e.beta,
                    &trainer.rest(),
                ));
            }
        }
        trainer.record(recordings).map_err(Failure::usage)?;
        let metrics = self.dir.metrics_after(cut.bytes).map_err(Failure::run)?;
        let mut sinks = Fanout(vec![progress, Box::new(metrics)]);
        for event in events {
            sinks.take(&event).map_err(Failure::run)?;
        }
        let (run, network) = (&self.e.run, self.e.network.clone());
        let every = Duration::try_from_secs_f64(run.checkpoint_every_s).unwrap_or(Duration::MAX);
        let file = self.dir.metrics_file().map_err(Failure::run)?;
        let folder = Folder::of(self.dir.path());
        let pace = (every, run.keep_checkpoints);
        let checkpoints = Checkpoints::new(folder, self.identity.clone(), network, file, pace, best);
        Ok(Begun { sinks, keeper: Files { checkpoints, probes }, epoch })
    }

    /// Brings the trainer to where the run goes on. Later checkpoints go before later metrics: a checkpoint whose metrics are gone
    /// must not be left.
    fn restore(&self, trainer: &mut Trainer, from: Found) -> Result<(), Failure> {
        Folder::of(self.dir.path()).go_back_to(&from);
        let Found { path, checkpoint, .. } = from;
        let (epoch, mini_batches) = (checkpoint.state.epoch, checkpoint.state.presented);
        trainer.restore(checkpoint.state).map_err(Failure::run)?;
        let note = Note {
            resumed: clock::readable(SystemTime::now()),
            checkpoint: path.file_name().map(|name| name.to_string_lossy().into_owned()),
            epoch,
            mini_batches,
            device: self.identity.device.clone(),
            tiles: self.identity.tiles.clone(),
            version: self.identity.version.clone(),
            command_line: std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect(),
        };
        self.dir.note_resume(&note).map_err(Failure::run)?;
        say(&format!("resumes in epoch {epoch} after {mini_batches} mini-batches, from {}", path.display()));
        Ok(())
    }

    /// All epochs that are left, then the test set. Parameters and a checkpoint are saved after every epoch: a failure later loses
    /// nothing before it.
    fn follow(&self, trainer: &mut Trainer, begun: &mut Begun) -> Result<Ended, Failure> {
        let Begun { sinks, keeper, epoch: first } = begun;
        let first = *first;
        let mut unsaved = None;
        for number in first..=self.e.training.epochs {
            let epoch = trainer.epoch_keeping(number, sinks, keeper).map_err(Failure::run)?;
            let Some(epoch) = epoch else {
                save_parameters(&self.dir, &self.e.network, trainer.parameters(), number, false)
                    .map_err(Failure::run)?;
                self.profile(trainer, sinks)?;
                return Ok(Ended::Interrupted(number));
            };
            unsaved = self.after_epoch(trainer, epoch, sinks, keeper)?;
        }
        self.profile(trainer, sinks)?;
        if first > self.e.training.epochs {
            // The process before may have failed to.
            let last = self.e.training.epochs;
            save_parameters(&self.dir, &self.e.network, trainer.parameters(), last, true)
                .map_err(Failure::run)?;
        }
        let tested = match trainer.complete(&self.drawn).map_err(Failure::run)? {
            Some(completed) => {
                self.dir.write_completion(&completed).map_err(Failure::run)?;
                Event::Completed(completed.score())
            }
            None => {
                let outcome = trainer.outcome().map_err(Failure::run)?;
                self.dir.write_outcome(&outcome).map_err(Failure::run)?;
                outcome.into()
            }
        };
        let finished = Event::Finished { elapsed_s: trainer.elapsed_s() };
        for event in [tested, finished] {
            sinks.take(&event).map_err(Failure::run)?;
        }
        unsaved.map_or(Ok(Ended::Complete), |error| Err(Failure::run(error)))
    }

    /// Saves and tells where the time went, if that was asked for.
    fn profile(&self, trainer: &mut Trainer, sinks: &mut Fanout) -> Result<(), Failure> {
        let Some(profile) = trainer.profile() else { return Ok(()) };
        // Not worth the results that are still to come.
        if let Err(error) = self.dir.write_profile(&profile) {
            log::warn!("the profile could not be saved: {error}");
        }
        sinks.take(&Event::Profiled(profile)).map_err(Failure::run)
    }

    /// Saves and tells what an epoch came to. What could not be saved is a warning: there is more to come, or the test.
    fn after_epoch(
        &self,
        trainer: &mut Trainer,
        epoch: Epoch,
        sinks: &mut Fanout,
        keeper: &mut Files,
    ) -> Result<Option<anyhow::Error>, Failure> {
        let (number, measure) = (epoch.epoch, epoch.validation_accuracy.or(epoch.validation_r2));
        let parameters = save_parameters(&self.dir, &self.e.network, trainer.parameters(), number, true);
        let steps = trainer.trajectory_steps() as f64;
        let warnings = epoch_warnings(trainer.model(), &epoch, steps);
        let angles = alignment_event(trainer.model(), trainer.parameters(), number);
        for event in std::iter::once(Event::Epoch(epoch)).chain(angles).chain(warnings) {
            sinks.take(&event).map_err(Failure::run)?;
        }
        let state = trainer.state_before(number + 1).map_err(Failure::run)?;
        keeper.probes.save(trainer.recordings(), number, sinks).map_err(Failure::run)?;
        let checkpoint = keeper.checkpoints.after_epoch(number, &state, measure, sinks);
        let errors = [parameters.map_err(anyhow::Error::from), checkpoint.map_err(anyhow::Error::from)];
        let mut first = None;
        for error in errors.into_iter().filter_map(Result::err) {
            sinks.take(&unsaved(number, &error)).map_err(Failure::run)?;
            first = first.or(Some(error));
        }
        Ok(first)
    }
}
