//! `z = C ⊙ y` with `C = diag β − diag(ρ''·(Wᵀδ))`: what distinguishes H from JᵀJ.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub y: Buf,
    /// ρ''·(Wᵀδ) as `bend` leaves it, `[batch, N]`; `None` where ρ'' = 0.
    pub bend: Option<Buf>,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub z: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    y: u32,
    bend: u32,
    beta: u32,
    z: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
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
            y: p.at(self.y)?,
            bend: p.maybe(self.bend)?,
            beta: p.at(self.beta)?,
            z: p.at(self.z)?,
            n: p.cols(self.y),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
