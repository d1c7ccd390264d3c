//! `f = ∂L/∂u = δ − ρ'·(Wᵀδ) − β(u* − u)` on the free columns (model, section 1); 0 at outputs whose voltage is prescribed (β = ∞).

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub delta: Buf,
    /// ρ'(u), `[batch, N]`.
    pub d: Buf,
    /// Wᵀδ, `[batch, N]`.
    pub apical: Buf,
    /// `[batch, N]`.
    pub u: Buf,
    /// u*, `[batch, n_out]`.
    pub y: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub f: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    delta: u32,
    d: u32,
    apical: u32,
    u: u32,
    y: u32,
    beta: u32,
    f: u32,
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
            delta: p.at(self.delta)?,
            d: p.at(self.d)?,
            apical: p.at(self.apical)?,
            u: p.at(self.u)?,
            y: p.at(self.y)?,
            beta: p.at(self.beta)?,
            f: p.at(self.f)?,
            n: p.cols(self.u),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
