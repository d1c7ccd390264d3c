//! Accuracy and cost on a data set, on trajectories of its own.

use super::{Event, Score, TrainError};
use crate::data::{Answers, Encoding, Samples, Values};
use crate::dynamics::Model;
use crate::engine::{Device, Engine};
use crate::evaluate::{Inputs, Predictor, Readout, Regression, Residuals, Tabulation};
use crate::network::Parameters;

/// Samples evaluated at once.
const BATCH: usize = 250;

/// Scores labelled samples at β = 0, by the steady state where a sweep gives it, else by presentations; never touches the trajectories of
/// training.
pub struct Evaluator {
    predictor: Predictor,
    tables: Tables,
}

impl Evaluator {
    /// Allocates the trajectories on the device. `ramp`: s of each time step of a presentation.
    ///
    /// # Errors
    /// If the device cannot hold them.
    pub fn new(model: &Model, device: &Device, tables: &Tables, ramp: &[f64]) -> Result<Self, TrainError> {
        let readout = match model.network.settling_order() {
            Some(_) => Readout::SteadyState,
            None => Readout::Trajectory(ramp.to_vec()),
        };
        let predictor = Predictor::new(&model.network, model.settings, BATCH, readout, device)?;
        Ok(Self { predictor, tables: tables.clone() })
    }

    /// Scores the samples with these parameters.
    ///
    /// # Errors
    /// If the device is lost, or an output is not finite.
    pub fn score(&mut self, parameters: &Parameters, samples: &Samples) -> Result<Score, TrainError> {
        self.predictor.set_parameters(parameters)?;
        let inputs = Inputs::Bytes { images: samples.images(), table: &self.tables.pixel };
        let targets = [self.tables.label[0], self.tables.label[1]];
        let mut table = Tabulation::new(self.predictor.model().network.n_out(), targets);
        self.predictor.run(&inputs, |i, outputs| table.add(samples.labels()[i], outputs))?;
        Ok(table.score())
    }

    /// Scores samples of numbers with these parameters.
    ///
    /// # Errors
    /// As [`Evaluator::score`].
    pub fn score_values(&mut self, parameters: &Parameters, values: &Values) -> Result<Outcome, TrainError> {
        self.predictor.set_parameters(parameters)?;
        score_values(&mut self.predictor, values)
    }
}

/// Scores samples of numbers.
fn score_values(predictor: &mut Predictor, values: &Values) -> Result<Outcome, TrainError> {
    let (inputs, n_out) = (Inputs::Singles(values.inputs()), values.widths()[1]);
    match values.answers() {
        Answers::Classes { labels, levels } => {
            let mut table = Tabulation::new(n_out, *levels);
            predictor.run(&inputs, |i, outputs| table.add(labels[i], outputs))?;
            Ok(Outcome::Classes(table.score()))
        }
        Answers::Targets(targets) => {
            let mut sums = Residuals::new(n_out);
            predictor.run(&inputs, |i, outputs| sums.add(&targets[i * n_out..(i + 1) * n_out], outputs))?;
            Ok(Outcome::Values(sums.score()))
        }
    }
}

/// What an evaluation came to: by what the answers are.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Of samples with classes.
    Classes(Score),
    /// Of samples with targets.
    Values(Regression),
}

impl From<Outcome> for Event {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Classes(score) => Self::Tested(score),
            Outcome::Values(score) => Self::Fitted(score),
        }
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
    Ok(crate::evaluate::write_parameters(engine, parameters)?)
}

/// Reads all weights and biases.
///
/// # Errors
/// If the device is lost.
pub fn read_parameters(engine: &mut Engine) -> Result<Parameters, TrainError> {
    let layout = engine.model().layout.clone();
    let weights = layout.weights.iter().map(|&buf| engine.read(buf)).collect::<Result<_, _>>()?;
    let biases = engine.read(layout.biases)?;
    Ok(Parameters { weights, biases, microcircuit: engine.read_microcircuit()? })
}
