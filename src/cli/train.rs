//! `train`: the main job.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use indicatif::MultiProgress;

use super::interrupt::Interrupt;
use super::{ExperimentArgs, Failure, config, dataset, device, say};
use crate::config::Experiment;
use crate::data::Dataset;
use crate::dynamics::{Model, Solver};
use crate::engine::Device;
use crate::network::{Network, Parameters};
use crate::sinks::{Fanout, Progress, Provenance, RunDir, RunDirError, Tensor, init_logging};
use crate::train::{
    Event, Header, Protocol, Sink, Tables, TrainError, Trainer, epoch_warnings, start_warnings,
};
use crate::version;

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
    /// Plain lines instead of a progress bar.
    #[arg(long)]
    plain: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let seed = args.seed.map(|seed| seed.to_string());
    let flags = [("--device", "run.device", args.device.clone()), ("--seed", "seed", seed)];
    let mut e = config::load(&args.experiment, &flags)?;
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
    train(&e, &data, &device, &interrupt, progress)
}

fn protocol(e: &Experiment) -> Protocol {
    Protocol {
        seed: e.seed,
        epochs: e.training.epochs,
        batch: e.training.batch,
        steps: e.training.steps_per_sample,
        ramp: e.training.ramp,
        gates: e.training.gates,
        beta: e.beta.clone(),
        rate_w: e.rate_w,
        rate_b: e.rate_b,
        rate_decay: e.training.rate_decay_per_epoch,
        tables: Tables::from(e.data.encoding),
    }
}

/// What ran: the solver, and whether the weights of the input were resident.
fn reported(solver: Option<Solver>, resident: bool) -> String {
    let mut parts: Vec<&str> = solver.map(Solver::name).into_iter().collect();
    if resident {
        parts.push("resident weights");
    }
    parts.join(", ")
}

fn header(e: &Experiment, data: &Dataset, device: &Device, model: &Model) -> Header {
    let (solver, resident) = (model.solver, model.layout.resident);
    Header {
        name: e.name.clone(),
        seed: e.seed,
        network: e.network.sizes(),
        parameters: e.network.weights() + e.network.neurons() - e.network.n_in(),
        activation: e.network.activation.name().into(),
        integrator: e.settings.integrator.name().into(),
        solver: reported(solver, resident),
        tau_ms: e.settings.tau_ms,
        dt_ms: e.settings.dt_ms,
        steps: e.training.steps_per_sample,
        device: device.name(),
        driver: device.driver(),
        precision: device.precision().name().into(),
        version: version::VERSION.into(),
        commit: version::COMMIT.into(),
        data: data.description.clone(),
        samples: data.counts(),
        batch: e.training.batch,
        epochs: e.training.epochs,
    }
}

fn train(
    e: &Experiment,
    data: &Dataset,
    device: &Device,
    interrupt: &Interrupt,
    progress: Box<dyn Sink>,
) -> Result<(), Failure> {
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
        Ok(Ended::Complete) => {
            dir.finish(SystemTime::now()).map_err(Failure::run)?;
            say(&saved("done"));
            Ok(())
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

/// `parameters.safetensors`: `W:pre->post` of shape `[post, pre]` for each projection, `b:population` of shape `[neurons]` for each
/// population but a bias-free input.
fn save(
    dir: &RunDir,
    network: &Network,
    p: &Parameters,
    epoch: usize,
    complete: bool,
) -> Result<(), RunDirError> {
    let single = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
    let size = |i: usize| network.populations[i].size;
    let mut data = Vec::new();
    for (k, w) in p.weights.iter().enumerate() {
        let ends = &network.projections[k];
        let name = format!("W:{}", network.projection_name(k));
        data.push((name, vec![size(ends.post), size(ends.pre)], single(w)));
    }
    for (i, population) in network.populations.iter().enumerate().skip(1) {
        let values = single(&p.biases[network.cols(i).range()]);
        data.push((format!("b:{}", population.name), vec![population.size], values));
    }
    let tensors: Vec<Tensor> = data
        .iter()
        .map(|(name, shape, values)| Tensor { name: name.clone(), shape: shape.clone(), values })
        .collect();
    let about = [
        ("epoch", epoch.to_string()),
        ("epoch_complete", complete.to_string()),
        ("network", network.sizes()),
        ("activation", network.activation.name().into()),
        ("version", version::LONG.into()),
    ];
    let about: HashMap<String, String> = about.map(|(k, v)| (k.to_owned(), v)).into();
    dir.write_parameters(&tensors, about)
}

enum Ended {
    Complete,
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
        save(dir, &e.network, trainer.parameters(), number, epoch.is_some()).map_err(Failure::run)?;
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
    tell(sinks, Event::Tested(score))?;
    tell(sinks, Event::Finished { elapsed_s: started.elapsed().as_secs_f64() })?;
    Ok(Ended::Complete)
}
