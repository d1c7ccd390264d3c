//! Overlaps of trajectories on some columns: `out[b', b] = Σ_j x[b', j] x[b, j]`, what products with `Ẇ = κ·δᵀ r̄` need of r̄ or δ where Ẇ is not
//! formed.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub x: Buf,
    /// `[batch, batch]`.
    pub out: Buf,
    /// Columns of x.
    pub cols: Cols,
}

params! {
    x: u32,
    out: u32,
    batch: u32,
    n: u32,
    start: u32,
    len: u32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let batch = p.batch();
        let params = Params {
            x: p.at(self.x)?,
            out: p.at(self.out)?,
            batch: to_u32(batch),
            n: p.cols(self.x),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
        };
        let loops = p.lane_loops(self.cols.len, 1, 1);
        Ok(Invocation::new(&params, p, [batch, batch, 1]).looping(loops))
    }
}
