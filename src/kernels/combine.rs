//! `u̇ = v + w + g − C v`: the explicit schemes `u̇ = rhs + v − H v` up to the product `−D Wᵀ w` that follows.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub v: Buf,
    /// `[batch, N]`.
    pub w: Buf,
    /// `[batch, N]`.
    pub g: Buf,
    /// `[batch, N]`.
    pub d2: Option<Buf>,
    /// Wᵀδ, `[batch, N]`.
    pub apical: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    v: u32,
    w: u32,
    g: u32,
    d2: u32,
    apical: u32,
    beta: u32,
    u_dot: u32,
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
            v: p.at(self.v)?,
            w: p.at(self.w)?,
            g: p.at(self.g)?,
            d2: p.maybe(self.d2)?,
            apical: p.at(self.apical)?,
            beta: p.at(self.beta)?,
            u_dot: p.at(self.u_dot)?,
            n: p.cols(self.u_dot),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
