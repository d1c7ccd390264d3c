//! What a network is trained on, as the trainer needs it: mini-batches, what is uploaded for them, and how they are counted.

use super::{Completion, Protocol, Rule, TrainError};
use crate::data::series::{Presentation, SeriesSet, Windows};
use crate::data::{Batches, DataError, Dataset, MiniBatch, Values};
use crate::dynamics::{Features, Settings};
use crate::engine::Engine;
use crate::network::Network;

/// What a network is trained on.
#[derive(Clone, Debug)]
pub enum Material<'a> {
    /// Static samples, a presentation each.
    Samples(&'a Dataset),
    /// Static samples of numbers.
    Values(&'a Dataset<Values>),
    /// Recordings, in windows.
    Series(SeriesTask<'a>),
}

/// Recordings, how they are presented, and how the network is tested on them.
#[derive(Clone, Debug)]
pub struct SeriesTask<'a> {
    /// The recordings and their parts.
    pub set: &'a SeriesSet,
    /// How the training part is presented.
    pub presentation: Presentation,
    /// How the network is tested.
    pub completion: Completion,
}

impl Material<'_> {
    /// Where the data came from, for people.
    #[must_use]
    pub fn description(&self) -> &str {
        match self {
            Self::Samples(data) => &data.description,
            Self::Values(data) => &data.description,
            Self::Series(task) => &task.set.description,
        }
    }

    /// Training, validation and test samples, counted; of recordings, rows.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        match self {
            Self::Samples(data) => data.counts(),
            Self::Values(data) => data.counts(),
            Self::Series(SeriesTask { set, .. }) => [&set.train, &set.validation, &set.test]
                .map(|spans| spans.iter().map(|span| span.rows.len()).sum()),
        }
    }
}

impl<'a> From<&'a Dataset> for Material<'a> {
    fn from(data: &'a Dataset) -> Self {
        Self::Samples(data)
    }
}

impl<'a> From<&'a Dataset<Values>> for Material<'a> {
    fn from(data: &'a Dataset<Values>) -> Self {
        Self::Values(data)
    }
}

impl<'a> From<SeriesTask<'a>> for Material<'a> {
    fn from(task: SeriesTask<'a>) -> Self {
        Self::Series(task)
    }
}

/// The training part, checked against the network.
pub(super) enum Feed<'a> {
    Samples(&'a Dataset),
    Values(&'a Dataset<Values>),
    Windows { set: &'a SeriesSet, windows: Windows },
}

impl<'a> Feed<'a> {
    pub(super) fn new(
        material: &Material<'a>,
        network: &Network,
        settings: &Settings,
        protocol: &Protocol,
    ) -> Result<Self, TrainError> {
        match material {
            Material::Samples(data) => {
                data.check(network.n_in(), network.n_out())?;
                Ok(Self::Samples(data))
            }
            Material::Values(data) => {
                check_values(data, network)?;
                Ok(Self::Values(data))
            }
            Material::Series(SeriesTask { set, presentation, .. }) => {
                if protocol.rule == Rule::Backprop {
                    return Err(TrainError::NeedsSamples);
                }
                check(set, network)?;
                let windows = Windows::new(set, presentation, settings.dt_ms, protocol.batch)
                    .map_err(DataError::Window)?;
                Ok(Self::Windows { set, windows })
            }
        }
    }

    /// What the model has to have.
    pub(super) fn features(&self, protocol: &Protocol) -> Features {
        match self {
            Self::Samples(_) => Features::training(protocol.tables.in_unit_range()),
            Self::Values(data) => Features::values(data.train.in_unit_range()),
            Self::Windows { set, windows } => {
                let channels = set.inputs + set.targets();
                let series = Features::series(windows.device_rows(), windows.format(), channels);
                Features { learning: true, ..series }
            }
        }
    }

    /// Writes what does not change from mini-batch to mini-batch. Of recordings only after the network came to rest: until then all channels are 0.
    pub(super) fn write(&self, engine: &mut Engine, protocol: &Protocol) -> Result<(), TrainError> {
        match self {
            Self::Samples(_) => protocol.tables.write(engine),
            Self::Values(_) => Ok(()),
            Self::Windows { set, windows } => {
                write_scale(engine, set)?;
                let read = |error| DataError::Rows { from: set.description.clone(), error };
                if let Some(rows) = windows.resident().map_err(read)? {
                    let series = engine.model().layout.series;
                    engine.write_bytes(series, &rows)?;
                }
                Ok(())
            }
        }
    }

    /// Whether samples have classes.
    pub(super) fn has_classes(&self) -> bool {
        match self {
            Self::Samples(_) => true,
            Self::Values(data) => data.train.labels().is_some(),
            Self::Windows { .. } => false,
        }
    }

    /// Mini-batches of an epoch; of windows, pieces of them.
    pub(super) fn mini_batches(&self, protocol: &Protocol) -> usize {
        match self {
            Self::Samples(_) | Self::Values(_) => self.samples().div_ceil(protocol.batch),
            Self::Windows { windows, .. } => windows.mini_batches(),
        }
    }

    /// Time steps of the first `presented` mini-batches of an epoch.
    pub(super) fn steps_before(&self, presented: usize, protocol: &Protocol) -> u64 {
        match self {
            Self::Samples(_) | Self::Values(_) => presented as u64 * protocol.steps as u64,
            Self::Windows { windows, .. } => windows.steps_before(presented),
        }
    }

    /// Samples of an epoch; of windows, time steps of trajectories.
    pub(super) fn samples(&self) -> usize {
        match self {
            Self::Samples(data) => data.train.len(),
            Self::Values(data) => data.train.len(),
            Self::Windows { windows, .. } => windows.trajectory_steps(),
        }
    }

    /// The mini-batches of an epoch (from 1) that are left after the first `presented`.
    pub(super) fn batches(
        &self,
        protocol: &Protocol,
        epoch: usize,
        presented: usize,
    ) -> Result<Batches, TrainError> {
        let (seed, number) = (protocol.seed, epoch as u64 - 1);
        match self {
            Self::Samples(data) => {
                let batches = Batches::shuffled(&data.train, protocol.batch, seed, number)?;
                Ok(batches.after(presented))
            }
            Self::Values(data) => {
                let batches = Batches::shuffled(&data.train, protocol.batch, seed, number)?;
                Ok(batches.after(presented))
            }
            Self::Windows { windows, .. } => Ok(Batches::windows(windows, seed, number, presented)?),
        }
    }

    /// Hands a mini-batch to the device.
    pub(super) fn upload(&self, engine: &mut Engine, batch: &MiniBatch) -> Result<(), TrainError> {
        let l = &std::sync::Arc::clone(engine.model()).layout;
        match self {
            Self::Samples(_) => {
                engine.write_bytes(l.pixels, &batch.pixels)?;
                engine.write_bytes(l.labels, &batch.labels)?;
            }
            Self::Values(_) => {
                engine.write(l.x_next, &batch.inputs)?;
                engine.write(l.y_next, &batch.targets)?;
            }
            Self::Windows { .. } => {
                if !batch.rows.is_empty() {
                    engine.write_bytes(l.series, &batch.rows)?;
                }
                engine.write_bytes(l.cursor, &batch.cursors)?;
            }
        }
        Ok(())
    }

    /// Why the mini-batches ended too early, if they did.
    pub(super) fn failed(&self, batches: &mut Batches) -> Result<(), TrainError> {
        let from = match self {
            Self::Samples(data) => &data.description,
            Self::Values(data) => &data.description,
            Self::Windows { set, .. } => &set.description,
        };
        match batches.error() {
            None => Ok(()),
            Some(error) => Err(DataError::Rows { from: from.clone(), error }.into()),
        }
    }
}

/// Gain and offset of all channels.
pub(super) fn write_scale(engine: &mut Engine, set: &SeriesSet) -> Result<(), TrainError> {
    let l = &std::sync::Arc::clone(engine.model()).layout;
    if let Some(first) = set.series.first() {
        engine.write(l.series_gain, &first.gain)?;
        engine.write(l.series_offset, &first.offset)?;
    }
    Ok(())
}

/// Whether samples of numbers are as wide as the populations they are for.
fn check_values(data: &Dataset<Values>, network: &Network) -> Result<(), DataError> {
    let neurons = [network.n_in(), network.n_out()];
    let parts = [Some(&data.train), data.validation.as_ref(), Some(&data.test)];
    match parts.into_iter().flatten().map(Values::widths).find(|widths| *widths != neurons) {
        None => Ok(()),
        Some(widths) => Err(DataError::Widths { from: data.description.clone(), widths, neurons }),
    }
}

/// Whether the channels are as many as the neurons they drive and nudge.
pub(super) fn check(set: &SeriesSet, network: &Network) -> Result<(), DataError> {
    let (channels, neurons) = ([set.inputs, set.targets()], [network.n_in(), network.n_out()]);
    if channels == neurons {
        return Ok(());
    }
    Err(DataError::Channels { from: set.description.clone(), channels, neurons })
}
