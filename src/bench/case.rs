//! One case: what runs, on what, how.

use std::sync::Arc;

use super::{BenchError, Subject};
use crate::dynamics::{Features, Integrator, Model, Resident, StimulusKind};
use crate::engine::Precision;
use crate::tune::{Rehearsal, Request};

/// Which plan presentations take, where there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanChoice {
    /// What `train` would take.
    Auto,
    /// Resident weights of the input.
    Resident,
    /// Call by call.
    Plain,
}

impl PlanChoice {
    /// All of them, with the names they have on the command line.
    pub const NAMES: [(&'static str, PlanChoice); 3] =
        [("auto", PlanChoice::Auto), ("resident", PlanChoice::Resident), ("plain", PlanChoice::Plain)];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The network.
    pub subject: Arc<Subject>,
    /// Integrator.
    pub integrator: Integrator,
    /// Plan.
    pub plan: PlanChoice,
    /// Whether weights and biases learn.
    pub learn: bool,
    /// Trajectories.
    pub batch: usize,
    /// Time steps of a presentation.
    pub steps: usize,
    /// Place of the device in the list of those that were opened.
    pub device: usize,
    /// Floating-point type; f32 on an adapter.
    pub precision: Precision,
    /// Threads of the processor; `None` on an adapter, and for all there are.
    pub threads: Option<usize>,
    /// Tiles of an adapter.
    pub tiles: Request,
}

impl Case {
    /// The plans for this case, and the name of those that run: `resident`, `whole` (steps of a small network as a whole) or `plain`.
    ///
    /// # Errors
    /// If network and settings do not fit one another, or the plan does not apply.
    pub fn model(&self) -> Result<(Model, &'static str), BenchError> {
        let mut settings = self.subject.settings;
        settings.integrator = self.integrator;
        settings.resident = match self.plan {
            PlanChoice::Auto => settings.resident,
            PlanChoice::Resident => Resident::Always,
            PlanChoice::Plain => Resident::Never,
        };
        let stimulus = if self.subject.is_static {
            StimulusKind::Samples
        } else {
            StimulusKind::Sequence { steps: self.steps }
        };
        let features = Features {
            stimulus,
            learning: self.learn,
            ..Features::training(self.subject.tables.in_unit_range())
        };
        let mut model = Model::new(self.subject.network.clone(), settings, self.batch, features)?;
        if self.plan == PlanChoice::Plain {
            model.program.small = None;
        }
        let runs = if model.layout.resident && self.steps > 1 {
            "resident"
        } else if model.program.small.is_some() {
            "whole"
        } else {
            "plain"
        };
        if self.plan == PlanChoice::Resident && runs != "resident" {
            return Err(BenchError::NotResident);
        }
        Ok((model, runs))
    }

    /// The model, and the work of a presentation.
    ///
    /// # Errors
    /// As [`Case::model`].
    pub fn rehearsal(&self) -> Result<Rehearsal, BenchError> {
        let model = Arc::new(self.model()?.0);
        let work = super::material::work_of(self, &model);
        Ok(Rehearsal { model, work })
    }
}
