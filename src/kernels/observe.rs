//! What tells whether to trust a run, one row a trajectory (columns in [`super::record`]).
//!
//! `f = δ − ρ'·(Wᵀδ) − β(u* − u)` over the free neurons, the Lagrangian `L = ½‖δ‖² + ½ Σ β (u* − u)²`, the cost `½‖u* − a_o‖²` and
//! class of the basal prediction `a_o`, the largest |u| of the free neurons, and the number of hidden neurons with ρ' below 5 % of its maximum.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub u: Buf,
    /// `[batch, N]`.
    pub d: Buf,
    /// `[batch, N]`.
    pub a: Buf,
    /// `[batch, N]`.
    pub delta: Buf,
    /// Wᵀδ, `[batch, N]`.
    pub apical: Buf,
    /// `[batch, n_out]`.
    pub y: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, 8]`.
    pub record: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
    /// Largest ρ', the unit of saturation.
    pub steepest: f64,
    /// Adds to what the record holds (largest |u|: the larger one; class: the present one) but in the first step after the status was cleared.
    pub sums: bool,
}

params! {
    u: u32,
    d: u32,
    a: u32,
    delta: u32,
    apical: u32,
    y: u32,
    beta: u32,
    record: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
    flat_below: f32,
    sums: u32,
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
            d: p.at(self.d)?,
            a: p.at(self.a)?,
            delta: p.at(self.delta)?,
            apical: p.at(self.apical)?,
            y: p.at(self.y)?,
            beta: p.at(self.beta)?,
            record: p.at(self.record)?,
            n: p.cols(self.u),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
            flat_below: (0.05 * self.steepest) as f32,
            sums: u32::from(self.sums),
        };
        let loops = p.lane_loops(self.cols.len, 1, 7);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
