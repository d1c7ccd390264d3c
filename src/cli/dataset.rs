//! Loads the data of an experiment.

use std::path::PathBuf;

use super::Failure;
use crate::config::{DataSource, Experiment};
use crate::data::arrays::{self, Scaling, Shape};
use crate::data::series::{Options, RESIDENT_BYTES, Reference, SeriesConfig, SeriesSet};
use crate::data::{DataDir, Dataset, IdxPaths, Split, Values, series};
use crate::train::{Completion, Material, SeriesTask};

/// The option that names the data directory.
#[derive(Debug, clap::Args)]
pub(super) struct DataArgs {
    /// Data directory, with the files of MNIST or Fashion-MNIST or a folder for each; wins over LAGRANGE_DATA_DIR and the file.
    #[arg(long, value_name = "FOLDER")]
    pub(super) data_dir: Option<PathBuf>,
}

/// What an experiment learns, loaded.
pub(super) enum Loaded {
    Samples(Dataset),
    Values(Dataset<Values>, Option<Scaling>),
    Series(SeriesSet, Completion),
}

impl Loaded {
    /// As a trainer takes it.
    pub(super) fn material(&self, e: &Experiment) -> Material<'_> {
        match self {
            Self::Samples(data) => Material::Samples(data),
            Self::Values(data, _) => Material::Values(data),
            Self::Series(set, completion) => {
                let mut presentation = e.training.windows.unwrap_or_default();
                if let DataSource::Series(config) = &e.data.source {
                    // What may not be in memory is not on a device either; a cast saturates.
                    let limit = (config.memory_limit_mb * 1e6) as usize;
                    presentation.resident_bytes = limit.min(RESIDENT_BYTES);
                }
                Material::Series(SeriesTask { set, presentation, completion: completion.clone() })
            }
        }
    }
}

/// Loads what an experiment learns, whatever it is.
pub(super) fn load_any(e: &mut Experiment, args: &DataArgs) -> Result<Loaded, Failure> {
    let (DataSource::Series(series), Some(config)) = (&e.data.source, &e.completion) else {
        return load(e, args);
    };
    refuse_directory(e, args)?;
    let set = recordings(series, e.network.n_out())?;
    let names = set.series.first().map_or(&[][..], |s| &s.names[set.inputs..]);
    let completion = Completion::new(config, names, &e.beta).map_err(Failure::usage)?;
    if series.reference == Reference::CommonAverage && completion.free.len() < set.targets() {
        log::warn!(
            "reference = \"common-average\": the average holds the free electrodes, so the nudged ones tell about them, and every R² in the table is \
             too good"
        );
    }
    let left_out = e.training.windows.unwrap_or_default().left_out(&set);
    if left_out > 0.01 {
        log::warn!(
            "{:.0} % of the training part lie behind the last whole window and are not learned (training.window-ms)",
            100.0 * left_out
        );
    }
    Ok(Loaded::Series(set, completion))
}

/// The recordings, prepared; as many target channels as there are output neurons.
fn recordings(config: &SeriesConfig, outputs: usize) -> Result<SeriesSet, Failure> {
    let mut notice = |text: String| log::warn!("{text}");
    let options = Options { outputs: Some(outputs), ..Options::new(&mut notice) };
    series::load(config, options).map_err(Failure::usage)
}

/// Only published sets are in a data directory.
fn refuse_directory(e: &Experiment, args: &DataArgs) -> Result<(), Failure> {
    let (Some(folder), false) = (&args.data_dir, matches!(e.data.source, DataSource::Published { .. }))
    else {
        return Ok(());
    };
    Err(Failure::usage(anyhow::anyhow!(
        "--data-dir '{}': the data of this experiment are not in a data directory; leave it out, or choose mnist or \
         fashion-mnist as data.source",
        folder.display()
    )))
}

/// The network as samples of numbers have to fit it.
pub(super) fn shape(e: &Experiment) -> Shape {
    Shape { n_in: e.network.n_in(), n_out: e.network.n_out(), encoding: e.data.encoding }
}

/// Loads static samples and checks that the network fits them. The data directory that serves is put into the experiment, so that the
/// config of the run says where the data came from.
pub(super) fn load(e: &mut Experiment, args: &DataArgs) -> Result<Loaded, Failure> {
    let split = Split { seed: e.seed, validation: e.data.validation, train_limit: e.data.train_limit };
    let (n_in, n_out) = (e.network.n_in(), e.network.n_out());
    refuse_directory(e, args)?;
    let shape = shape(e);
    let data = match &mut e.data.source {
        DataSource::EmbeddedMnist => Dataset::embedded_mnist(split),
        DataSource::Published { set, directory } => {
            let folder =
                DataDir::choose(args.data_dir.as_deref(), directory.as_deref()).map_err(Failure::usage)?;
            *directory = Some(folder.path.clone());
            Dataset::published(set.about(), &folder, split)
        }
        DataSource::Idx { train_images, train_labels, test_images, test_labels } => {
            let paths = IdxPaths {
                train_images: train_images.clone(),
                train_labels: train_labels.clone(),
                test_images: test_images.clone(),
                test_labels: test_labels.clone(),
            };
            Dataset::from_idx(&paths, n_in, n_out, split)
        }
        DataSource::Arrays(config) => match arrays::load(config, shape, split).map_err(Failure::usage)? {
            arrays::Loaded::Bytes(data) => Ok(data),
            arrays::Loaded::Values(data, scaling) => return Ok(Loaded::Values(data, scaling)),
        },
        DataSource::Images(config) => arrays::load_pictures(config, shape, split),
        DataSource::Series(_) => {
            return Err(Failure::usage(anyhow::anyhow!(
                "the data of this experiment are recordings; this command answers for static samples alone"
            )));
        }
    };
    let data = data.map_err(Failure::usage)?;
    data.check(n_in, n_out).map_err(Failure::usage)?;
    Ok(Loaded::Samples(data))
}
