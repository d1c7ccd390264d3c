//! Overlaps of the patterns of a mini-batch: `out[b', b] = Σ_j x[b', j] y[b, j]`.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, n]`.
    pub x: Buf,
    /// `[batch, n]`.
    pub y: Buf,
    /// `[batch, batch]`.
    pub out: Buf,
}

params! {
    x: u32,
    y: u32,
    out: u32,
    batch: u32,
    n: u32,
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
            y: p.at(self.y)?,
            out: p.at(self.out)?,
            batch: to_u32(batch),
            n: p.cols(self.x),
        };
        let depth = p.program.spec(self.x).cols;
        Ok(Invocation::product(&params, p, [batch, depth, batch]))
    }
}
