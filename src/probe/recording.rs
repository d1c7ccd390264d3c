//! What a probe has recorded.

use super::{Fields, Probe, ProbeError, Quantity};
use crate::dynamics::Model;
use crate::engine::{Engine, EngineError, Precision};

/// Where a sample stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Time steps since the start of the run.
    pub steps: u64,
    /// From 1; 0 in a simulation.
    pub epoch: usize,
    /// Mini-batch, from 1 in its epoch; 0 in a simulation.
    pub mini_batch: usize,
}

/// The samples that the trajectories show, as far as there are any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Samples<'a> {
    /// Class of each trajectory's sample.
    pub labels: &'a [u8],
    /// Place of each trajectory's sample in the training set; trajectories beyond have none.
    pub indices: &'a [u32],
}

/// Samples of a probe, S so far, of n neurons in B trajectories.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What was asked for.
    pub probe: Probe,
    /// Columns of the n neurons.
    pub columns: Vec<usize>,
    /// Columns of those that are outputs.
    pub outputs: Vec<usize>,
    /// The interneurons of the chosen populations, among all of the network.
    pub interneurons: Vec<usize>,
    /// When each sample was taken, `[S]`.
    pub moments: Vec<Moment>,
    /// Class that each trajectory showed, −1 without a sample, `[S, B]`; nothing in a simulation.
    pub labels: Vec<f64>,
    /// Place of its sample in the training set, −1 without, `[S, B]`; nothing in a simulation.
    pub samples: Vec<f64>,
    /// One a quantity, `[S, B, n]`; of outputs alone for those that outputs alone have; β is `[S, outputs]`,
    /// u^I `[S, B, interneurons]`.
    pub values: Vec<Vec<f64>>,
    /// Time step, ms.
    pub dt_ms: f64,
    /// The bound was reached: nothing more is recorded.
    pub is_full: bool,
    every: u64,
}

impl Recording {
    /// Nothing yet.
    ///
    /// # Errors
    /// If the probe cannot record this model.
    pub fn new(probe: &Probe, model: &Model) -> Result<Self, ProbeError> {
        let (network, dt_ms) = (&model.network, model.settings.dt_ms);
        probe.check_model(network, &model.layout, dt_ms)?;
        let columns = probe.columns(network);
        let first = network.outputs().start;
        Ok(Self {
            outputs: columns.iter().copied().filter(|&c| c >= first).collect(),
            interneurons: probe.interneurons(network),
            columns,
            moments: Vec::new(),
            labels: Vec::new(),
            samples: Vec::new(),
            values: vec![Vec::new(); probe.quantities.len()],
            dt_ms,
            is_full: false,
            every: probe.every(dt_ms),
            probe: probe.clone(),
        })
    }

    /// Whether a sample is to be taken after a step.
    #[must_use]
    pub fn is_due(&self, at: Moment) -> bool {
        let (probe, training) = (&self.probe, at.epoch > 0);
        !self.is_full
            && at.steps.is_multiple_of(self.every)
            && (!training || (probe.epochs.contains(at.epoch) && probe.presentations.contains(at.mini_batch)))
    }

    /// Shape of a sample of `quantity`.
    #[must_use]
    pub fn shape(&self, quantity: Quantity) -> Vec<usize> {
        match quantity {
            Quantity::Nudging => vec![self.outputs.len()],
            q if q.is_of_outputs() => vec![self.probe.trajectories, self.outputs.len()],
            Quantity::Interneuron => vec![self.probe.trajectories, self.interneurons.len()],
            _ => vec![self.probe.trajectories, self.columns.len()],
        }
    }

    /// Memory of a sample.
    fn bytes(&self) -> usize {
        let values: usize =
            self.probe.quantities.iter().map(|&q| self.shape(q).iter().product::<usize>()).sum();
        size_of::<Moment>() + size_of::<f64>() * (values + 2 * self.probe.trajectories)
    }

    /// Takes a sample of the state that `fields` holds; false if there is no memory left for it, and then for no later one.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn take(
        &mut self,
        engine: &mut Engine,
        fields: &mut Fields,
        at: Moment,
        shown: Samples,
    ) -> Result<bool, EngineError> {
        let most = self.probe.max_mib * f64::from(1 << 20);
        if ((self.moments.len() + 1) * self.bytes()) as f64 > most {
            self.is_full = true;
            return Ok(false);
        }
        self.moments.push(at);
        // What is derived here has no more digits than what it comes from, so that files can have as many.
        let single = engine.precision() == Precision::F32;
        let rounded = |v: f64| if single { f64::from(v as f32) } else { v };
        let batch = self.probe.trajectories;
        for (&quantity, values) in self.probe.quantities.iter().zip(&mut self.values) {
            fields.load(engine, quantity)?;
            let columns = match quantity {
                Quantity::Interneuron => &self.interneurons,
                q if q.is_of_outputs() => &self.outputs,
                _ => &self.columns,
            };
            let trajectories = if quantity == Quantity::Nudging { 1 } else { batch };
            for b in 0..trajectories {
                values.extend(columns.iter().map(|&c| rounded(fields.value(quantity, b, c))));
            }
        }
        if at.epoch > 0 {
            for b in 0..batch {
                let index = shown.indices.get(b);
                self.samples.push(index.map_or(-1.0, |&i| f64::from(i)));
                self.labels.push(match (index, shown.labels.get(b)) {
                    (Some(_), Some(&label)) => f64::from(label),
                    _ => -1.0,
                });
            }
        }
        Ok(true)
    }

    /// Forgets what was recorded after so many steps: a run goes on from there.
    pub fn cut(&mut self, steps: u64) {
        let keep = self.moments.partition_point(|m| m.steps <= steps);
        self.moments.truncate(keep);
        self.labels.truncate(keep * self.probe.trajectories);
        self.samples.truncate(keep * self.probe.trajectories);
        let lengths: Vec<usize> =
            self.probe.quantities.iter().map(|&q| keep * self.shape(q).iter().product::<usize>()).collect();
        for (values, length) in self.values.iter_mut().zip(lengths) {
            values.truncate(length);
        }
        self.is_full = false;
    }

    /// What to tell where the bound was reached.
    #[must_use]
    pub fn full_message(&self) -> String {
        format!(
            "probe '{}' has recorded {} samples, and the next one would take it beyond max-mib = {}: it records no more. Raise max-mib, or ask for fewer neurons, trajectories or quantities, or a larger every-ms",
            self.probe.name,
            self.moments.len(),
            self.probe.max_mib
        )
    }
}
