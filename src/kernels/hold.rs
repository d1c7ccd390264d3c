//! `dst ← 0` in the rows of trajectories without a sample: they hold their state.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// A derivative, `[batch, any]`.
    pub dst: Buf,
    /// `[batch, 1]`.
    pub active: Buf,
    /// Columns.
    pub cols: Cols,
}

params! {
    dst: u32,
    active_mask: u32,
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
        let params = Params {
            dst: p.at(self.dst)?,
            active_mask: p.at(self.active)?,
            n: p.cols(self.dst),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
