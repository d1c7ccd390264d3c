//! `r̄ = ρ(u)`, `ρ'(u)` and, where it does not vanish, `ρ''(u)` (step order, item 2).

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::network::Activation;
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Voltages `[batch, N]`.
    pub u: Buf,
    /// ρ(u) `[batch, N]`.
    pub r: Buf,
    /// ρ'(u) `[batch, N]`.
    pub d: Buf,
    /// ρ''(u) `[batch, N]`; `None` for piecewise-linear ρ.
    pub d2: Option<Buf>,
    /// Columns to compute.
    pub cols: Cols,
    /// Columns below this one have ρ = identity (input mode `rates`).
    pub identity: usize,
    /// ρ.
    pub activation: Activation,
}

params! {
    u: u32,
    r: u32,
    d: u32,
    d2: u32,
    n: u32,
    start: u32,
    len: u32,
    identity: u32,
    activation: u32,
    shape_a: f32,
    shape_d: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let (a, d) = self.activation.parameters();
        let params = Params {
            u: p.at(self.u)?,
            r: p.at(self.r)?,
            d: p.at(self.d)?,
            d2: p.maybe(self.d2)?,
            n: p.cols(self.u),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            identity: to_u32(self.identity),
            activation: self.activation.code(),
            shape_a: a as f32,
            shape_d: d as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
