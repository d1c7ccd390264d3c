//! `m = √β_o` in the column of output `o`, 0 in the other free columns: start of row `o` of `√β M` (Woodbury).

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub m: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// o.
    pub output: usize,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    m: u32,
    beta: u32,
    n: u32,
    start: u32,
    len: u32,
    output: u32,
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
            m: p.at(self.m)?,
            beta: p.at(self.beta)?,
            n: p.cols(self.m),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            output: to_u32(self.output),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
