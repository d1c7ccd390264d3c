//! The resolved form of an experiment.

use std::fmt;
use std::path::PathBuf;

use super::Source;
use crate::data::arrays::{AnswerKind, ArraysConfig, PicturesConfig};
use crate::data::series::{Presentation, SeriesConfig};
use crate::data::{Encoding, PublishedSet};
use crate::dynamics::Settings;
use crate::engine::Precision;
use crate::network::{Init, MicrocircuitInit, Network};
use crate::probe::Probe;
use crate::schedule::Schedule;
use crate::train::{CompletionConfig, Gates, Ramp, Rule};

/// A training run, checked and with every default written out.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Name of the run.
    pub name: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// What is learned.
    pub data: DataConfig,
    /// Populations and projections, with their learning-rate factors and clips.
    pub network: Network,
    /// Initial weights, one a projection.
    pub weight_init: Vec<Init>,
    /// Initial biases, one a population.
    pub bias_init: Vec<Init>,
    /// Initial weights of the microcircuit, if the network has one.
    pub microcircuit_init: Option<MicrocircuitInit>,
    /// How the network is integrated.
    pub settings: Settings,
    /// Nudging strength β, one an output neuron.
    pub beta: Vec<f64>,
    /// Learning rate η of the weights, per ms.
    pub rate_w: f64,
    /// Learning rate η_b of the biases, per ms.
    pub rate_b: f64,
    /// How both change with simulated time.
    pub schedule: Schedule,
    /// Protocol.
    pub training: TrainingConfig,
    /// How a network that learns recordings is tested; `None` with static samples.
    pub completion: Option<CompletionConfig>,
    /// Rates of the control, of which the least-action rule takes no notice.
    pub backprop: BackpropConfig,
    /// What is recorded on the way.
    pub probes: Vec<Probe>,
    /// Device and output.
    pub run: RunConfig,
    /// Where the experiment came from.
    pub source: Source,
}

/// A simulation, checked and with every default written out: an [`Experiment`] without data and training.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationConfig {
    /// Name of the run.
    pub name: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// Populations and projections, with their learning-rate factors and clips.
    pub network: Network,
    /// Initial weights, one a projection.
    pub weight_init: Vec<Init>,
    /// Initial biases, one a population.
    pub bias_init: Vec<Init>,
    /// Initial weights of the microcircuit, if the network has one.
    pub microcircuit_init: Option<MicrocircuitInit>,
    /// How the network is integrated.
    pub settings: Settings,
    /// Nudging strength β, one an output neuron.
    pub beta: Vec<f64>,
    /// Learning rate η of the weights, per ms.
    pub rate_w: f64,
    /// Learning rate η_b of the biases, per ms.
    pub rate_b: f64,
    /// How both change with simulated time.
    pub schedule: Schedule,
    /// What is recorded on the way.
    pub probes: Vec<Probe>,
    /// Device and output.
    pub run: RunConfig,
    /// Where the experiment came from.
    pub source: Source,
}

/// Which samples, and how they become voltages.
#[derive(Clone, Debug, PartialEq)]
pub struct DataConfig {
    /// Where the samples are.
    pub source: DataSource,
    /// Number of samples split off the training set for validation, keyed by the seed.
    pub validation: usize,
    /// How pixels and targets become voltages.
    pub encoding: Encoding,
    /// Number of training samples that are used; `None` = all.
    pub train_limit: Option<usize>,
}

/// Where the samples are.
#[derive(Clone, Debug, PartialEq)]
pub enum DataSource {
    /// The MNIST digits in the program itself.
    EmbeddedMnist,
    /// A published set in a data directory.
    Published {
        /// Which.
        set: PublishedSet,
        /// Absolute path of the data directory; `None` = that of the platform. The command line and the environment may name
        /// another.
        directory: Option<PathBuf>,
    },
    /// Files in the IDX format of MNIST, plain or gzip; absolute paths.
    Idx {
        /// Training images.
        train_images: PathBuf,
        /// Training labels.
        train_labels: PathBuf,
        /// Test images.
        test_images: PathBuf,
        /// Test labels.
        test_labels: PathBuf,
    },
    /// Arrays of inputs with targets or labels; absolute paths.
    Arrays(ArraysConfig),
    /// Folders of pictures by class; absolute paths.
    Images(PicturesConfig),
    /// Time series from recordings; of [`DataConfig`] nothing else matters then.
    Series(Box<SeriesConfig>),
}

/// Protocol of a training run.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingConfig {
    /// How the network learns.
    pub rule: Rule,
    /// Passes through the training samples, at least 1.
    pub epochs: usize,
    /// Samples presented together, at least 1.
    pub batch: usize,
    /// Time steps of a presentation, at least 1.
    pub steps_per_sample: usize,
    /// Ramp from one sample to the next.
    pub ramp: Ramp,
    /// When in a presentation nudging and plasticity are on.
    pub gates: Gates,
    /// Both learning rates are multiplied by this after each epoch; in (0, 1].
    pub rate_decay_per_epoch: f64,
    /// How recordings are presented, in place of `steps_per_sample` (then 1), ramp and gates; `None` with static samples.
    pub windows: Option<Presentation>,
}

impl DataConfig {
    /// Whether static samples have targets, not classes.
    #[must_use]
    pub fn has_targets(&self) -> bool {
        matches!(&self.source, DataSource::Arrays(config) if config.answers == AnswerKind::Targets)
    }

    /// Whether the data are recordings.
    #[must_use]
    pub fn is_series(&self) -> bool {
        matches!(self.source, DataSource::Series(_))
    }
}

/// Rates of the control: backprop, one update a mini-batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackpropConfig {
    /// Learning rate of the weights, before the factors of the projections: `W += rate·factor·mean gradient`.
    pub learning_rate: f64,
    /// Learning rate of the biases.
    pub bias_learning_rate: f64,
    /// Both are multiplied by this after each epoch; in (0, 1].
    pub rate_decay_per_epoch: f64,
}

/// Device and output.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// Which device.
    pub device: DeviceChoice,
    /// Floating-point type on the CPU.
    pub precision: Precision,
    /// Folder of the run directories; a relative path starts from the working directory.
    pub directory: PathBuf,
    /// Wall time in seconds between checkpoints within an epoch; 0 = after every mini-batch.
    pub checkpoint_every_s: f64,
    /// Seeds with which the experiment runs in turn, in place of its own; none of them twice. Empty = one run.
    pub seeds: Vec<u64>,
    /// Whether each run is followed by its control: backprop, with the same initial values and mini-batches.
    pub control: bool,
    /// Number of checkpoints that are kept, at least 1; the best one comes on top.
    pub keep_checkpoints: usize,
}

/// Which device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The best GPU, or else the CPU.
    Auto,
    /// The processor.
    Cpu,
    /// The best GPU.
    Gpu,
    /// A GPU by its index in the list of devices.
    Index(usize),
    /// A GPU by a part of its name.
    Name(String),
}

impl DeviceChoice {
    /// Reads `auto`, `cpu`, `gpu`, an index or a part of a name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "gpu" => Self::Gpu,
            _ => text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Index),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu => f.write_str("gpu"),
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}
