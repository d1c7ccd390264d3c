//! Somato-basal mismatch `δ = u − a` with `a = W r̄ + b + [x]_in` (step order, item 2).
//!
//! `a` enters as `W r̄`. Trajectories without a sample get δ = 0, so that they neither move nor teach.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub u: Buf,
    /// `[1, N]`.
    pub b: Buf,
    /// `[batch, n_in]`, added to columns `0..n_in`: driven inputs.
    pub x: Option<Buf>,
    /// `[batch, 1]`.
    pub active: Buf,
    /// In: `W r̄`; out: a. `[batch, N]`.
    pub a: Buf,
    /// `[batch, N]`.
    pub delta: Buf,
    /// Columns to compute.
    pub cols: Cols,
}

params! {
    u: u32,
    b: u32,
    x: u32,
    active_mask: u32,
    a: u32,
    delta: u32,
    n: u32,
    n_in: u32,
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
            u: p.at(self.u)?,
            b: p.at(self.b)?,
            x: p.maybe(self.x)?,
            active_mask: p.at(self.active)?,
            a: p.at(self.a)?,
            delta: p.at(self.delta)?,
            n: p.cols(self.u),
            n_in: p.cols_or_zero(self.x),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
