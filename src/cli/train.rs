//! `train`: the main job.

mod one;
mod resume;
mod setup;

use std::path::PathBuf;
use std::time::Duration;

use indicatif::MultiProgress;

pub(super) use one::{Outcome, run_one};
pub(super) use resume::Resume;

use super::interrupt::Interrupt;
use super::{ExperimentArgs, Failure, dataset, device, say};
use crate::config::{Experiment, Source};
use crate::sinks::{Progress, init_logging};
use crate::train::Sink;

/// Arguments of `train`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    experiment: ExperimentArgs,
    #[command(flatten)]
    data: dataset::DataArgs,
    /// auto, cpu, gpu, an index or a part of a name (see `lagrange-gpu devices`); overrides the file.
    #[arg(long)]
    device: Option<String>,
    /// Seed of all random streams; overrides the file.
    #[arg(long)]
    seed: Option<u64>,
    /// Folder in which run directories are made; overrides the file.
    #[arg(long, value_name = "FOLDER")]
    runs: Option<PathBuf>,
    /// Goes on with an earlier run: auto (the latest unfinished one of this experiment and seed, or else a new one), a run directory
    /// (--config is not needed then) or a checkpoint in one.
    #[arg(long, value_name = "auto|PATH")]
    resume: Option<PathBuf>,
    /// Plain lines instead of a progress bar.
    #[arg(long)]
    plain: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let seed = args.seed.map(|seed| seed.to_string());
    let flags = [("--device", "run.device", args.device.clone()), ("--seed", "seed", seed)];
    let resume = Resume::parse(args.resume.as_deref());
    let source = match (&resume, &args.experiment.config) {
        (Resume::Path(path), None) => Source::File(resume::run_directory(path)?.join("config.toml")),
        _ => args.experiment.source()?,
    };
    let mut e = Experiment::load(&source, &args.experiment.overrides(&flags)?).map_err(Failure::usage)?;
    if let Some(runs) = &args.runs {
        // It stands in the config of the run, which has to be read again.
        if runs.to_str().is_none_or(str::is_empty) {
            let shown = runs.display();
            return Err(Failure::usage(anyhow::anyhow!(
                "--runs '{shown}': give the path of a folder, in Unicode and not empty"
            )));
        }
        e.run.directory.clone_from(runs);
    }
    let bars = MultiProgress::new();
    if let Err(error) = init_logging(&bars) {
        // A logger of the embedding program serves as well.
        log::debug!("{error}");
    }
    say(&format!("experiment: {}", e.source));
    // Data before any device work: a bad file is named at once.
    let data = dataset::load(&mut e, &args.data)?;
    let device = device::open(&e.run.device, e.run.precision)?;
    let interrupt = Interrupt::listen();
    let progress: Box<dyn Sink> = if args.plain {
        Box::new(Progress::plain(std::io::stderr(), Duration::from_secs(5)))
    } else {
        Box::new(Progress::stderr(&bars))
    };
    let Outcome { directory, .. } = run_one(&e, &data, &device, &interrupt, progress, &resume)?;
    say(&format!("done; the run directory is {}", directory.display()));
    Ok(())
}
