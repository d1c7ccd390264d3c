//! The parts of the right-hand side that need no product.
//!
//! `c = −δ/τ + ḃ + [ẋ]_in` (from `s − δ/τ`, model section 2) and `g = β(u* − u)/τ + β u̇*` on the outputs with finite β, 0 elsewhere. On a
//! clamped input that something projects into, the known u̇ moves to the right-hand side: `c = … − u̇_in`.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub delta: Buf,
    /// `[1, N]`, if ḃ takes part in the dynamics.
    pub b_dot: Option<Buf>,
    /// `[batch, n_in]`: driven inputs, and clamped ones whose mismatch keeps the drive.
    pub x_dot: Option<Buf>,
    /// u̇, `[batch, N]`, subtracted on the clamped columns.
    pub held: Option<Buf>,
    /// Clamped columns.
    pub clamped: Cols,
    /// `[batch, N]`.
    pub u: Buf,
    /// u*, `[batch, n_out]`.
    pub y: Buf,
    /// u̇*, `[batch, n_out]`.
    pub y_dot: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub g: Buf,
    /// Columns with a mismatch.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
    /// Membrane time constant.
    pub tau_ms: f64,
}

params! {
    delta: u32,
    b_dot: u32,
    x_dot: u32,
    held: u32,
    held_len: u32,
    u: u32,
    y: u32,
    y_dot: u32,
    beta: u32,
    c: u32,
    g: u32,
    n: u32,
    n_in: u32,
    n_out: u32,
    start: u32,
    len: u32,
    out_start: u32,
    inv_tau: f32,
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
            b_dot: p.maybe(self.b_dot)?,
            x_dot: p.maybe(self.x_dot)?,
            held: p.maybe(self.held)?,
            held_len: to_u32(self.clamped.len),
            u: p.at(self.u)?,
            y: p.at(self.y)?,
            y_dot: p.at(self.y_dot)?,
            beta: p.at(self.beta)?,
            c: p.at(self.c)?,
            g: p.at(self.g)?,
            n: p.cols(self.delta),
            n_in: p.cols_or_zero(self.x_dot),
            n_out: to_u32(self.outputs.len),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            out_start: to_u32(self.outputs.start),
            inv_tau: (1.0 / self.tau_ms) as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
