//! Validation and test, on trajectories of their own.

use super::Trainer;
use crate::data::Dataset;
use crate::dynamics::Model;
use crate::engine::Device;
use crate::network::Parameters;
use crate::train::completion::Examiner;
use crate::train::{Completed, Evaluator, Material, Protocol, Score, TrainError};

/// How a network is validated and tested.
pub(super) enum Exam<'a> {
    /// By the class of static samples.
    Samples { evaluator: Box<Evaluator>, data: &'a Dataset },
    /// By the electrodes that are free.
    Series(Box<Examiner<'a>>),
}

impl<'a> Exam<'a> {
    pub(super) fn new(
        material: Material<'a>,
        model: &Model,
        device: &Device,
        protocol: &Protocol,
        ramp: &[f64],
    ) -> Result<Self, TrainError> {
        Ok(match material {
            Material::Samples(data) => {
                let evaluator = Evaluator::new(model, device, &protocol.tables, ramp)?;
                Self::Samples { evaluator: Box::new(evaluator), data }
            }
            Material::Series(task) => {
                let examiner = Examiner::new(task.set, task.completion, model, device)?;
                Self::Series(Box::new(examiner))
            }
        })
    }
}

impl Trainer<'_> {
    /// What the held-out part says, if there is one.
    pub(super) fn validate(&mut self) -> Result<Validation, TrainError> {
        match &mut self.exam {
            Exam::Samples { evaluator, data } => {
                let Some(held_out) = &data.validation else { return Ok(Validation::default()) };
                let score = evaluator.score(&self.parameters, held_out)?;
                Ok(Validation { accuracy: Some(score.accuracy), loss: Some(score.loss), r2: None })
            }
            Exam::Series(examiner) => {
                let Some(network) = examiner.validate(&self.parameters)? else {
                    return Ok(Validation::default());
                };
                Ok(Validation { accuracy: None, loss: Some(network.cost), r2: network.r2 })
            }
        }
    }

    /// The test set of static samples, with the parameters of the last complete epoch.
    ///
    /// # Errors
    /// If the device is lost, or the network learns recordings.
    pub fn test(&mut self) -> Result<Score, TrainError> {
        match &mut self.exam {
            Exam::Samples { evaluator, data } => evaluator.score(&self.parameters, &data.test),
            Exam::Series(_) => Err(TrainError::NoClasses),
        }
    }

    /// The test part of recordings, with the parameters `before` training and those of the last complete epoch; `None` of static samples.
    ///
    /// # Errors
    /// Divergence, a lost device, rows that cannot be read.
    pub fn complete(&mut self, before: &Parameters) -> Result<Option<Completed>, TrainError> {
        match &mut self.exam {
            Exam::Samples { .. } => Ok(None),
            Exam::Series(examiner) => examiner.test(before, &self.parameters).map(Some),
        }
    }
}

/// What validation says; nothing without a held-out part.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Validation {
    pub accuracy: Option<f64>,
    pub loss: Option<f64>,
    pub r2: Option<f64>,
}
