//! Books the iterations of a step: maximum and sum of counts, largest residual, trajectories that did not converge, or had an indefinite H.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, 9]`.
    pub solver: Buf,
    /// `[batch, 1]`.
    pub active: Buf,
    /// Relative residual that was asked for.
    pub tolerance: f64,
}

params! {
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
            solver: p.at(self.solver)?,
            active_mask: p.at(self.active)?,
            batch: to_u32(p.batch()),
            tolerance: self.tolerance as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(p.batch(), 1)))
    }
}
