//! `u ← u + dt·u̇` for free neurons, `u_in ← x` for clamped ones (step order, item 7).
//!
//! Clamped inputs are set, not stepped: adding `dt·u̇` would miss x by rounding and flip ρ' of pixels on 0 or 1. A voltage or derivative
//! that is not finite is noted in row 0 of `status`, |u| above `u_limit` in row 1. Inactive trajectories hold u and u̇ = 0.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub u: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// x, `[batch, n_in]`, if columns `0..n_in` are clamped.
    pub clamp: Option<Buf>,
    /// `[batch, 1]`.
    pub active: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Time step.
    pub dt_ms: f64,
    /// |u| above this is divergence.
    pub u_limit: f64,
    /// Words `[3, batch]`.
    pub status: Buf,
}

params! {
    u: u32,
    u_dot: u32,
    x: u32,
    active_mask: u32,
    batch: u32,
    n: u32,
    n_in: u32,
    start: u32,
    len: u32,
    dt: f32,
    limit: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[Access::Write];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            u: p.at(self.u)?,
            u_dot: p.at(self.u_dot)?,
            x: p.maybe(self.clamp)?,
            active_mask: p.at(self.active)?,
            batch: to_u32(p.batch()),
            n: p.cols(self.u),
            n_in: p.cols_or_zero(self.clamp),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            dt: self.dt_ms as f32,
            limit: self.u_limit as f32,
        };
        let n = p.program.spec(self.u).cols;
        Ok(Invocation::new(&params, p, p.elementwise(n, p.batch())).bind(vec![Some(self.status)]))
    }
}
