//! The guess v of the explicit schemes, from the history of u̇.
//!
//! `euler`: u̇₁; `richardson1`: 2u̇₁ − u̇₂; `richardson2`: (8u̇₁ − 6u̇₂ + u̇₄)/3, u̇ₖ being u̇ k steps ago. Shifts the history. Clamped
//! inputs take their known u̇ as guess.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// u̇₁, `[batch, N]`.
    pub u_dot: Buf,
    /// u̇₂, u̇₃, u̇₄ as far as the scheme needs them.
    pub history: Vec<Buf>,
    /// Weights of u̇₁ … u̇₄.
    pub weights: [f64; 4],
    /// `[batch, N]`.
    pub v: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Clamped columns (empty if none).
    pub clamped: Cols,
}

params! {
    u_dot: u32,
    h0: u32,
    h1: u32,
    h2: u32,
    v: u32,
    count: u32,
    n: u32,
    start: u32,
    len: u32,
    clamped_start: u32,
    clamped_len: u32,
    w0: f32,
    w1: f32,
    w2: f32,
    w3: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let past = |k: usize| p.maybe(self.history.get(k).copied());
        let weight = |k: usize| self.weights[k] as f32;
        let params = Params {
            u_dot: p.at(self.u_dot)?,
            h0: past(0)?,
            h1: past(1)?,
            h2: past(2)?,
            v: p.at(self.v)?,
            count: to_u32(self.history.len()),
            n: p.cols(self.u_dot),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            clamped_start: to_u32(self.clamped.start),
            clamped_len: to_u32(self.clamped.len),
            w0: weight(0),
            w1: weight(1),
            w2: weight(2),
            w3: weight(3),
        };
        let n = p.program.spec(self.u_dot).cols;
        Ok(Invocation::new(&params, p, p.elementwise(n, p.batch())))
    }
}
