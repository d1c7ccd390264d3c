//! Interneurons: basal input `p = W^IP r̄ + b^I + [x]_in`, target `g = (1 − β^I) p + β^I B^IP u`, voltage, and what W^IP learns
//! from, `u^I − p` (step order, item 3).
//!
//! Instantaneous: `u^I = g`. Dynamic: `u^I += dt·u̇^I` with the derivative of the step before; a trajectory without a sample holds u^I and
//! learns nothing.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// In: `W^IP r̄`; out: p. `[batch, M]`.
    pub p: Buf,
    /// In: `β^I B^IP u`; out: g. `[batch, M]`.
    pub g: Buf,
    /// Voltage before, `[batch, M]`.
    pub u: Buf,
    /// Voltage after, `[batch, M]`; may be `u`.
    pub out: Buf,
    /// Derivative, `[batch, M]`; `None` = instantaneous.
    pub u_dot: Option<Buf>,
    /// `u^I − p`, `[batch, M]`.
    pub mismatch: Buf,
    /// `[1, M]`.
    pub b: Buf,
    /// x, `[batch, n_in]`, into the first n_in interneurons.
    pub x: Option<Buf>,
    /// `[batch, 1]`.
    pub active: Buf,
    /// β^I.
    pub beta: f64,
    /// Time step.
    pub dt_ms: f64,
}

params! {
    p: u32,
    g: u32,
    u: u32,
    out: u32,
    u_dot: u32,
    mismatch: u32,
    b: u32,
    x: u32,
    active_mask: u32,
    m: u32,
    n_in: u32,
    beta: f32,
    dt: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let m = p.program.spec(self.p).cols;
        let params = Params {
            p: p.at(self.p)?,
            g: p.at(self.g)?,
            u: p.at(self.u)?,
            out: p.at(self.out)?,
            u_dot: p.maybe(self.u_dot)?,
            mismatch: p.at(self.mismatch)?,
            b: p.at(self.b)?,
            x: p.maybe(self.x)?,
            active_mask: p.at(self.active)?,
            m: to_u32(m),
            n_in: p.cols_or_zero(self.x),
            beta: self.beta as f32,
            dt: self.dt_ms as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(m, p.batch())))
    }
}
