//! `train`: the main job.

mod one;
mod resume;
mod seeds;
mod setup;

use std::path::PathBuf;
use std::time::Duration;

use indicatif::MultiProgress;

pub(super) use one::{Outcome, run_one};
pub(super) use resume::Resume;
use seeds::Seeds;

use super::interrupt::Interrupt;
use super::{ExperimentArgs, Failure, dataset, device, say, tiles, warn_of_idle};
use crate::config::{Experiment, Purpose, Source};
use crate::sinks::{Progress, init_logging};
use crate::train::{Rule, Sink};

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
    #[command(flatten)]
    tiles: tiles::TileArgs,
    /// Seed of all random streams; overrides the file.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Runs the experiment with each of these seeds in turn, and makes a table of the results; overrides the file.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Runs backprop of the same network after each run, with the same initial values and mini-batches: the control.
    #[arg(long)]
    control: bool,
    /// Folder in which run directories are made; overrides the file.
    #[arg(long, value_name = "FOLDER")]
    runs: Option<PathBuf>,
    /// Goes on with an earlier run: auto (the latest unfinished one of this experiment and seed, or else a new one), a run directory
    /// (--config is not needed then), a checkpoint in one, or the folder <utc>-seeds of several seeds.
    #[arg(long, value_name = "auto|PATH")]
    resume: Option<PathBuf>,
    /// Times each kernel: a table at the end, and profile.json in the run directory. The run itself gets slower, most of all on a GPU.
    #[arg(long)]
    profile: bool,
    /// Plain lines instead of a progress bar.
    #[arg(long)]
    plain: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let resume = Resume::parse(args.resume.as_deref());
    let mut e = experiment(args, &resume)?;
    let bars = MultiProgress::new();
    if let Err(error) = init_logging(&bars) {
        // A logger of the embedding program serves as well.
        log::debug!("{error}");
    }
    say(&format!("experiment: {}", e.source));
    let progress = || -> Box<dyn Sink> {
        if args.plain {
            Box::new(Progress::plain(std::io::stderr(), Duration::from_secs(5)))
        } else {
            Box::new(Progress::stderr(&bars))
        }
    };
    // Data before any device work: a bad file is named at once.
    let load = |e: &mut Experiment| dataset::load_any(e, &args.data);
    let data = load(&mut e)?;
    let device = tiles::Tiled::new(device::open(&e.run.device, e.run.precision)?, &args.tiles)?;
    let interrupt = Interrupt::listen();
    if !e.run.seeds.is_empty() {
        drop(data);
        let (e, device, interrupt, resume) = (&e, &device, &interrupt, &resume);
        let profile = args.profile;
        return Seeds { e, device, interrupt, resume, profile, load: &load, progress: &progress }.run();
    }
    let Outcome { directory } = run_one(&e, &data, &device, &interrupt, progress(), &resume, args.profile)?;
    say(&format!("done; the run directory is {}", directory.display()));
    Ok(())
}

/// The experiment that the arguments name, or that of the run that goes on.
fn experiment(args: &Args, resume: &Resume) -> Result<Experiment, Failure> {
    let seed = args.seed.map(|seed| seed.to_string());
    let seeds = (!args.seeds.is_empty()).then(|| format!("{:?}", args.seeds));
    let flags = [
        ("--device", "run.device", args.device.clone()),
        ("--seed", "seed", seed),
        ("--seeds", "run.seeds", seeds),
        ("--control", "run.control", args.control.then(|| "true".to_owned())),
    ];
    let source = match (resume, &args.experiment.config) {
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
    if let Some(seed) = args.seed.filter(|_| !e.run.seeds.is_empty()) {
        return Err(Failure::usage(anyhow::anyhow!(
            "--seed {seed}: the experiment has a list, run.seeds; give --seeds {seed} instead"
        )));
    }
    let backprop = e.run.control || e.training.rule == Rule::Backprop;
    warn_of_idle(&args.experiment, &e.settings, Purpose::Training { backprop });
    if e.run.control && e.run.seeds.is_empty() {
        e.run.seeds = vec![e.seed];
    }
    Ok(e)
}
