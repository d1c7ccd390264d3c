//! Opens and closes the books of the Newton iteration of integrator `equilibrium` (columns in [`super::newton`]).
//!
//! At the start nothing is accepted and the residual is infinite; trajectories without a sample have converged. At the end the
//! largest residual is noted, and who did not reach the tolerance (model, section 2).

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::Buf;

/// Before or after the iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before.
    Open,
    /// After.
    Close,
}

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// When.
    pub stage: Stage,
    /// `[batch, 9]`, see [`super::newton`].
    pub newton: Buf,
    /// `[batch, 9]`, see [`super::solver`].
    pub solver: Buf,
    /// `[batch, 1]`.
    pub active: Buf,
    /// max |residual| to be reached.
    pub tolerance: f64,
}

params! {
    closing: u32,
    newton: u32,
    solver: u32,
    active_mask: u32,
    batch: u32,
    tolerance: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            closing: u32::from(self.stage == Stage::Close),
            newton: p.at(self.newton)?,
            solver: p.at(self.solver)?,
            active_mask: p.at(self.active)?,
            batch: to_u32(p.batch()),
            tolerance: self.tolerance as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(p.batch(), 1)))
    }
}
