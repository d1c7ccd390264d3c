//! What `eval` and `predict` share: from a run or a file, and a few flags, to a network that answers.

use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;

use super::{ExperimentArgs, Failure, config, dataset, device, say, tiles};
use crate::checkpoint::parameters::{self, Loaded};
use crate::config::{DataSource, Experiment};
use crate::data::arrays::{self, ArraysConfig, InputScale, Own, Scaling};
use crate::data::{DataError, Dataset, Rows};
use crate::engine::Device;
use crate::evaluate::{EvaluateError, Images, Predictor, Readout, Trouble};

/// Arguments of both commands.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run directory, or a file of parameters (safetensors).
    #[arg(value_name = "RUN|FILE")]
    pub(super) from: PathBuf,
    /// Experiment (file or built-in name); default: config.toml of the run directory.
    #[arg(long, short, value_name = "FILE")]
    config: Option<String>,
    /// Overrides a key of the experiment; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Which part of the data set: train, validation or test; of static samples also a file of your own, .npz or .npy.
    #[arg(long = "data", value_name = "PART|FILE", default_value = "test", value_parser = part)]
    pub(super) part: String,
    #[command(flatten)]
    pub(super) folder: dataset::DataArgs,
    /// auto, cpu, gpu, an index or a part of a name (see `lagrange-gpu devices`); default: the experiment's.
    #[arg(long)]
    device: Option<String>,
    #[command(flatten)]
    pub(super) tiles: tiles::TileArgs,
    /// f64 (CPU only) or f32; default: the experiment's.
    #[arg(long, value_parser = ["f32", "f64"])]
    precision: Option<String>,
    /// Samples side by side; changes results by rounding only.
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    batch: usize,
    /// Integrates each sample as a presentation from the equilibrium for x = 0 and reads its end, instead of the steady state; recurrent
    /// networks, and all that follow recordings, are always read so.
    #[arg(long)]
    pub(super) trajectory: bool,
}

/// The parts of a data set.
pub(super) const PARTS: [&str; 3] = ["train", "validation", "test"];

/// A part, or a file whose name shows that it is one.
fn part(text: &str) -> Result<String, String> {
    let array = |text: &str| {
        Path::new(text).extension().is_some_and(|e| ["npy", "npz"].iter().any(|n| e.eq_ignore_ascii_case(n)))
    };
    if PARTS.contains(&text) || array(text) {
        return Ok(text.to_owned());
    }
    Err(format!("possible values: {}, or a file .npz or .npy", PARTS.join(", ")))
}

/// A network that answers, and what there is to say about it.
pub(super) struct Opened {
    pub experiment: Experiment,
    pub images: Images,
    pub predictor: Predictor,
    pub device: Device,
    /// File of the parameters.
    pub file: PathBuf,
    /// `test`, say; empty for images of the user's own.
    pub part: String,
    about: Loaded,
    trajectory: bool,
}

/// An experiment and its parameters, before data and device are opened.
pub(super) struct Begun<'a> {
    pub args: &'a Args,
    pub experiment: Experiment,
    pub file: PathBuf,
    pub about: Loaded,
}

/// Reads the experiment and the parameters.
pub(super) fn begin(args: &Args) -> Result<Begun<'_>, Failure> {
    let file = parameters::find(&args.from).map_err(Failure::usage)?;
    let experiment = experiment(args, &file)?;
    let about = parameters::read(&file, &experiment.network).map_err(Failure::usage)?;
    warn_of_another_activation(&experiment, &about);
    Ok(Begun { args, experiment, file, about })
}

impl Begun<'_> {
    /// Whether the network follows recordings.
    pub(super) fn is_series(&self) -> bool {
        matches!(self.experiment.data.source, DataSource::Series(_))
    }
}

/// Opens the rest for static samples, the data before the device: a bad file is named at once.
pub(super) fn open(begun: Begun<'_>, input: Option<&Path>) -> Result<Opened, Failure> {
    let Begun { args, experiment: mut e, file, about } = begun;
    let own = Some(Path::new(&args.part)).filter(|_| !PARTS.contains(&args.part.as_str()));
    let (images, part) = match input.or(own) {
        Some(path) => (images(&mut e, args, path, &file)?, String::new()),
        None => (samples(&mut e, args)?, args.part.clone()),
    };
    let device = tiles::Tiled::new(device::open(&e.run.device, e.run.precision)?, &args.tiles)?;
    // Of networks that no sweep settles the trajectory is all there is.
    let trajectory = args.trajectory || e.network.settling_order().is_none();
    let readout = if trajectory {
        Readout::Trajectory(e.training.ramp.values(e.training.steps_per_sample))
    } else {
        Readout::SteadyState
    };
    let rehearsal = || Predictor::rehearsal(&e.network, e.settings, args.batch, &readout).map_err(failed);
    let device = device.settle(None, rehearsal)?;
    let mut predictor =
        Predictor::new(&e.network, e.settings, args.batch, readout, &device).map_err(failed)?;
    predictor.set_parameters(&about.parameters).map_err(failed)?;
    Ok(Opened { experiment: e, images, predictor, device, file, part, about, trajectory })
}

fn experiment(args: &Args, file: &Path) -> Result<Experiment, Failure> {
    let beside = || parameters::config_beside(file).map(|path| path.display().to_string());
    let Some(name) = args.config.clone().or_else(beside) else {
        return Err(Failure::usage(anyhow::anyhow!(
            "{}: there is no config.toml beside it; give the experiment it was trained with (--config)",
            file.display()
        )));
    };
    let flags = [
        ("--device", "run.device", args.device.clone()),
        ("--precision", "run.precision", args.precision.clone()),
    ];
    config::load(&ExperimentArgs { config: Some(name), overrides: args.overrides.clone() }, &flags)
}

/// The shapes would not tell.
fn warn_of_another_activation(e: &Experiment, loaded: &Loaded) {
    let now = e.network.activation.name();
    if let Some(then) = loaded.about.get("activation").filter(|then| *then != now) {
        say(&format!("warning: the parameters are of a network with activation {then}, not {now}"));
    }
}

/// Samples of a file of the user's own.
fn images(e: &mut Experiment, args: &Args, path: &Path, parameters: &Path) -> Result<Images, Failure> {
    let wrong = |error| Failure::usage(DataError::Arrays(error));
    match e.data.source.clone() {
        DataSource::Arrays(config) => {
            arrays::check_own(path, &config).map_err(wrong)?;
            let scaling = scaling(e, args, &config, parameters)?;
            let own = arrays::load_own(path, config.answers, dataset::shape(e), scaling.as_ref());
            let description = format!("samples of {}", path.display());
            Ok(match own.map_err(wrong)? {
                Own::Values(values) => Images::of_values(values, description),
                Own::Inputs(inputs) => Images::of_inputs(inputs, description),
            })
        }
        DataSource::Images(config) if !is_file_of_arrays(path) => {
            let bytes = arrays::load_own_pictures(path, config.colour, e.network.n_in()).map_err(wrong)?;
            let description = format!("pictures of {}", path.display());
            Ok(Images::of_bytes(bytes, e.data.encoding, description))
        }
        _ => Images::open(path, e.network.n_in(), e.data.encoding).map_err(Failure::usage),
    }
}

/// A file that is no picture.
fn is_file_of_arrays(path: &Path) -> bool {
    path.is_file() && !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"))
}

/// What scales inputs: from the run directory, or else fitted anew.
fn scaling(
    e: &mut Experiment,
    args: &Args,
    config: &ArraysConfig,
    parameters: &Path,
) -> Result<Option<Scaling>, Failure> {
    if config.scale == InputScale::None {
        return Ok(None);
    }
    let beside = parameters::config_beside(parameters).map(|config| config.with_file_name(Scaling::FILE));
    if let Some(file) = beside.filter(|file| file.exists()) {
        return Scaling::open(&file, e.network.n_in()).map(Some).map_err(Failure::usage);
    }
    match dataset::load(e, &args.folder)? {
        dataset::Loaded::Values(_, scaling) => Ok(scaling),
        _ => Ok(None),
    }
}

fn samples(e: &mut Experiment, args: &Args) -> Result<Images, Failure> {
    match dataset::load(e, &args.folder)? {
        dataset::Loaded::Samples(data) => {
            chosen(data, &args.part).map(|(samples, from)| Images::of(&samples, e.data.encoding, from))
        }
        dataset::Loaded::Values(data, _) => {
            chosen(data, &args.part).map(|(values, from)| Images::of_values(values, from))
        }
        dataset::Loaded::Series(..) => Err(Failure::usage(anyhow::anyhow!(
            "the data of this experiment are recordings, on which this command does not work"
        ))),
    }
}

/// A part of a data set, and where it came from.
fn chosen<S: Rows>(data: Dataset<S>, part: &str) -> Result<(S, String), Failure> {
    let Dataset { train, validation, test, description } = data;
    let samples = match part {
        "train" => Some(train),
        "validation" => validation,
        _ => Some(test),
    };
    samples.map(|samples| (samples, description)).ok_or_else(|| {
        Failure::usage(anyhow::anyhow!(
            "--data validation: the experiment sets no samples aside (data.validation is 0); choose train or test"
        ))
    })
}

/// The exit code of an evaluation that stopped.
pub(super) fn failed(error: EvaluateError) -> Failure {
    match error {
        EvaluateError::Settings(error) => Failure::usage(error),
        other => Failure::run(other),
    }
}

impl Opened {
    /// `steady-state` or `trajectory`.
    pub(super) fn readout(&self) -> &'static str {
        if self.trajectory { "trajectory" } else { "steady-state" }
    }

    /// The epoch after which the parameters were saved, if the file says so.
    pub(super) fn epoch(&self) -> Option<u64> {
        epoch(&self.about)
    }

    /// Whether the outputs answer with values, not with a class.
    pub(super) fn is_regression(&self) -> bool {
        self.experiment.data.has_targets()
    }

    /// A few lines that say what is evaluated.
    pub(super) fn header(&self) -> String {
        let e = &self.experiment;
        let readout = if self.trajectory {
            let steps = e.training.steps_per_sample;
            let ms = (e.settings.dt_ms * steps as f64 * 1e9).round() / 1e9;
            format!("end of a presentation of {ms} ms ({steps} steps) from the equilibrium for x = 0")
        } else {
            "steady state".into()
        };
        let part = if self.part.is_empty() { String::new() } else { format!(", {} samples", self.part) };
        let data = format!("{}{part}", self.images.description);
        header(e, (&self.file, &self.about), &format!("{readout}, β = 0"), &data, &self.device)
    }

    /// Says what went on that a reader of the results should know.
    pub(super) fn warn(&self) {
        if let Some(rest) = self.predictor.start().filter(|rest| !rest.is_reached()) {
            say(&format!(
                "warning: the network did not come to rest for an input of 0 within {} time steps: presentations start from f of {:.1e} of its voltages",
                rest.steps, rest.f_norm
            ));
        }
        warn_of(self.predictor.trouble(), &self.experiment);
    }
}

/// Says what the solver met.
pub(super) fn warn_of(t: Trouble, e: &Experiment) {
    if t.indefinite > 0 {
        say(&format!("warning: H was not positive definite in {} trajectory steps", t.indefinite));
    }
    if t.unconverged > 0 {
        say(&format!(
            "warning: the solver stopped short of its tolerance {:e} in {} trajectory steps; raise dynamics.max-iterations (now {}) or the tolerance",
            e.settings.tolerance, t.unconverged, e.settings.max_iterations
        ));
    }
}

/// The epoch after which parameters were saved, if their file says so.
pub(super) fn epoch(about: &Loaded) -> Option<u64> {
    about.about.get("epoch")?.parse().ok()
}

/// A few lines that say what is evaluated.
pub(super) fn header(
    e: &Experiment,
    (file, about): (&Path, &Loaded),
    readout: &str,
    data: &str,
    device: &Device,
) -> String {
    let epoch = match (epoch(about), about.about.get("epoch_complete").map(String::as_str)) {
        (Some(epoch), Some("false")) => format!(", within epoch {epoch}"),
        (Some(epoch), _) => format!(", after epoch {epoch}"),
        (None, _) => String::new(),
    };
    format!(
        "parameters  {}{epoch}\n\
         network     {}, {}\n\
         readout     {readout}\n\
         data        {data}\n\
         device      {}, {}{}\n",
        file.display(),
        e.network.sizes(),
        e.network.activation.name(),
        device.name(),
        device.precision().name(),
        tiles::told(device),
    )
}

/// A file that is to be written lies in a folder that exists, is none itself, and replaces nothing that was read.
pub(super) fn check_out(out: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    let refuse = |why: String| Err(Failure::usage(anyhow::anyhow!("--out {}: {why}", out.display())));
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return refuse(format!("there is no folder {}; make it, or choose another", folder.display()));
    }
    if out.is_dir() {
        return refuse("this is a folder; give the name of a file".into());
    }
    let same = |input: &&&Path| out.canonicalize().is_ok_and(|o| input.canonicalize().is_ok_and(|i| i == o));
    match inputs.iter().find(same) {
        Some(input) => refuse(format!("it would replace {}; choose another name", input.display())),
        None => Ok(()),
    }
}
