//! How a network is validated and tested, by what it learns.

use super::{Protocol, Trainer};
use crate::data::{Dataset, Values};
use crate::dynamics::Model;
use crate::engine::Device;
use crate::network::Parameters;
use crate::train::completion::Examiner;
use crate::train::evaluate::{Evaluator, Outcome};
use crate::train::{Completed, Material, Score, TrainError};

/// How a network is validated and tested.
pub(super) enum Exam<'a> {
    /// By the class of static samples.
    Samples { evaluator: Box<Evaluator>, data: &'a Dataset },
    /// By the class or the targets of samples of numbers.
    Values { evaluator: Box<Evaluator>, data: &'a Dataset<Values> },
    /// By the electrodes that are free.
    Series(Box<Examiner<'a>>),
}

/// What validation says; nothing without a held-out part.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Validation {
    pub accuracy: Option<f64>,
    pub loss: Option<f64>,
    pub r2: Option<f64>,
}

impl From<&Outcome> for Validation {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Classes(s) => Self { accuracy: Some(s.accuracy), loss: Some(s.loss), r2: None },
            Outcome::Values(s) => Self { accuracy: None, loss: Some(s.loss), r2: s.r2 },
        }
    }
}

impl<'a> Exam<'a> {
    pub(super) fn new(
        material: Material<'a>,
        model: &Model,
        device: &Device,
        protocol: &Protocol,
        ramp: &[f64],
    ) -> Result<Self, TrainError> {
        let evaluator = || Evaluator::new(model, device, &protocol.tables, ramp).map(Box::new);
        Ok(match material {
            Material::Samples(data) => Self::Samples { evaluator: evaluator()?, data },
            Material::Values(data) => Self::Values { evaluator: evaluator()?, data },
            Material::Series(task) => {
                let examiner =
                    Examiner::new(task.set, task.completion, &model.network, model.settings, device)?;
                Self::Series(Box::new(examiner))
            }
        })
    }

    /// What the held-out part says, if there is one.
    pub(super) fn validate(&mut self, parameters: &Parameters) -> Result<Validation, TrainError> {
        let outcome = match self {
            Self::Samples { evaluator, data } => match &data.validation {
                Some(held_out) => Outcome::Classes(evaluator.score(parameters, held_out)?),
                None => return Ok(Validation::default()),
            },
            Self::Values { evaluator, data } => match &data.validation {
                Some(held_out) => evaluator.score_values(parameters, held_out)?,
                None => return Ok(Validation::default()),
            },
            Self::Series(examiner) => {
                let network = examiner.validate(parameters)?;
                return Ok(network.map_or_else(Validation::default, |network| Validation {
                    accuracy: None,
                    loss: Some(network.cost),
                    r2: network.r2,
                }));
            }
        };
        Ok(Validation::from(&outcome))
    }

    /// The test set of static samples.
    pub(super) fn test(&mut self, parameters: &Parameters) -> Result<Outcome, TrainError> {
        match self {
            Self::Samples { evaluator, data } => {
                evaluator.score(parameters, &data.test).map(Outcome::Classes)
            }
            Self::Values { evaluator, data } => evaluator.score_values(parameters, &data.test),
            Self::Series(_) => Err(TrainError::NoClasses),
        }
    }

    /// The test set by its classes.
    pub(super) fn classes(&mut self, parameters: &Parameters) -> Result<Score, TrainError> {
        match self.test(parameters)? {
            Outcome::Classes(score) => Ok(score),
            Outcome::Values(_) => Err(TrainError::NoClasses),
        }
    }

    /// The test part of recordings, with the parameters `before` and `after` training; `None` of static samples.
    pub(super) fn complete(
        &mut self,
        before: &Parameters,
        after: &Parameters,
    ) -> Result<Option<Completed>, TrainError> {
        match self {
            Self::Samples { .. } | Self::Values { .. } => Ok(None),
            Self::Series(examiner) => examiner.test(before, after).map(Some),
        }
    }
}

impl Trainer<'_> {
    /// The test set of samples with classes, with the parameters of the last complete epoch.
    ///
    /// # Errors
    /// If the device is lost, or the data have no classes.
    pub fn test(&mut self) -> Result<Score, TrainError> {
        self.exam.classes(&self.parameters)
    }

    /// The test set of static samples, whatever their answers, with the parameters of the last complete epoch.
    ///
    /// # Errors
    /// If the device is lost, or the network learns recordings.
    pub fn outcome(&mut self) -> Result<Outcome, TrainError> {
        self.exam.test(&self.parameters)
    }

    /// The test part of recordings, with the parameters `before` training and those of the last complete epoch; `None` of static samples.
    ///
    /// # Errors
    /// Divergence, a lost device, rows that cannot be read.
    pub fn complete(&mut self, before: &Parameters) -> Result<Option<Completed>, TrainError> {
        self.exam.complete(before, &self.parameters)
    }
}
