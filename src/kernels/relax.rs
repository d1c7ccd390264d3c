//! `w = c − v` on the free columns: with `+ W D v` from the products, `w = s − δ/τ − J v`.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub v: Buf,
    /// `[batch, N]`.
    pub w: Buf,
    /// Free columns.
    pub cols: Cols,
}

params! {
    c: u32,
    v: u32,
    w: u32,
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
            c: p.at(self.c)?,
            v: p.at(self.v)?,
            w: p.at(self.w)?,
            n: p.cols(self.w),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
