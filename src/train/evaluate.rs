//! Accuracy and cost on a data set: the steady state at β = 0, on trajectories of its own.

use std::sync::Arc;

use super::{Score, TrainError};
use crate::data::{Batches, Encoding, Samples};
use crate::dynamics::{Features, Model};
use crate::engine::{Device, Engine, Work};
use crate::kernels::record;
use crate::network::Parameters;
use crate::plan::PlanId;

/// Samples evaluated at once.
const BATCH: usize = 250;

/// A second set of trajectories with the parameters of the first; it never touches those of training.
pub struct Evaluator {
    engine: Engine,
    classes: usize,
}

impl Evaluator {
    /// Allocates the trajectories on the device.
    ///
    /// # Errors
    /// If the device cannot hold them.
    pub fn new(model: &Model, device: &Device, tables: &Tables) -> Result<Self, TrainError> {
        let features = Features::samples(tables.in_unit_range());
        let model = Arc::new(Model::new(model.network.clone(), model.settings, BATCH, features)?);
        let mut engine = Engine::new(Arc::clone(&model), device)?;
        tables.write(&mut engine)?;
        Ok(Self { engine, classes: model.network.n_out() })
    }

    /// Scores the samples with these parameters.
    ///
    /// # Errors
    /// If the device is lost, or the thread that assembles mini-batches cannot be started.
    pub fn score(&mut self, parameters: &Parameters, samples: &Samples) -> Result<Score, TrainError> {
        write_parameters(&mut self.engine, parameters)?;
        let layout = self.engine.model().layout.clone();
        let mut confusion = vec![vec![0_u64; self.classes]; self.classes];
        let (mut right, mut cost) = (0_usize, 0.0);
        let mut batches = Batches::ordered(samples, BATCH)?;
        while let Some(batch) = batches.next() {
            self.engine.write_bytes(layout.pixels, &batch.pixels)?;
            self.engine.write_bytes(layout.labels, &batch.labels)?;
            let shot = self.engine.run(&[Work::once(PlanId::Present), Work::once(PlanId::Predict)])?;
            // Slots beyond the last sample are not counted.
            for (row, &label) in shot.record.chunks_exact(record::LEN).zip(&batch.labels).take(batch.count) {
                let class = (row[record::CLASS] as usize).min(self.classes - 1);
                confusion[usize::from(label)][class] += 1;
                right += usize::from(class == usize::from(label));
                cost += row[record::COST];
            }
            batches.recycle(batch);
        }
        let n = samples.len().max(1) as f64;
        Ok(Score { samples: samples.len(), accuracy: right as f64 / n, loss: cost / n, confusion })
    }
}

/// The tables that turn bytes into voltages and classes into targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// Value of each byte, 256 values.
    pub pixel: Vec<f64>,
    /// Target of the wrong and of the right class.
    pub label: Vec<f64>,
}

impl From<Encoding> for Tables {
    fn from(encoding: Encoding) -> Self {
        Self { pixel: encoding.pixel_table().to_vec(), label: encoding.label_table().to_vec() }
    }
}

impl Tables {
    /// Whether all values of pixels lie in [0, 1].
    #[must_use]
    pub fn in_unit_range(&self) -> bool {
        self.pixel.iter().all(|v| (0.0..=1.0).contains(v))
    }

    /// Writes both tables.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn write(&self, engine: &mut Engine) -> Result<(), TrainError> {
        let layout = engine.model().layout.clone();
        engine.write(layout.pixel_table, &self.pixel)?;
        engine.write(layout.label_table, &self.label)?;
        Ok(())
    }
}

/// Writes all weights and biases.
///
/// # Errors
/// If a block has the wrong size, or the device is lost.
pub fn write_parameters(engine: &mut Engine, parameters: &Parameters) -> Result<(), TrainError> {
    let layout = engine.model().layout.clone();
    for (&buf, w) in layout.weights.iter().zip(&parameters.weights) {
        engine.write(buf, w)?;
    }
    engine.write(layout.biases, &parameters.biases)?;
    Ok(())
}

/// Reads all weights and biases.
///
/// # Errors
/// If the device is lost.
pub fn read_parameters(engine: &mut Engine) -> Result<Parameters, TrainError> {
    let layout = engine.model().layout.clone();
    let weights = layout.weights.iter().map(|&buf| engine.read(buf)).collect::<Result<_, _>>()?;
    Ok(Parameters { weights, biases: engine.read(layout.biases)? })
}
