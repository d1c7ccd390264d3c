//! What moves interneurons beside u̇: `m = (g − u^I)/τ + (1 − β^I)([ẋ]_in + ḃ^I)`, to which `(1 − β^I) Ẇ^IP r̄` and the known u̇ of a clamped
//! input are added; then `u̇^I = m + T u̇` (step order, item 6).

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, M]`.
    pub m: Buf,
    /// Target, `[batch, M]`.
    pub g: Buf,
    /// u^I, `[batch, M]`.
    pub u: Buf,
    /// ḃ^I, `[1, M]`; `None` = 0.
    pub b_dot: Option<Buf>,
    /// ẋ, `[batch, n_in]`, into the first n_in interneurons.
    pub x_dot: Option<Buf>,
    /// β^I.
    pub beta: f64,
    /// Membrane time constant.
    pub tau_ms: f64,
}

params! {
    m: u32,
    g: u32,
    u: u32,
    b_dot: u32,
    x_dot: u32,
    count: u32,
    n_in: u32,
    keep: f32,
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
        let count = p.program.spec(self.m).cols;
        let params = Params {
            m: p.at(self.m)?,
            g: p.at(self.g)?,
            u: p.at(self.u)?,
            b_dot: p.maybe(self.b_dot)?,
            x_dot: p.maybe(self.x_dot)?,
            count: to_u32(count),
            n_in: p.cols_or_zero(self.x_dot),
            keep: (1.0 - self.beta) as f32,
            inv_tau: (1.0 / self.tau_ms) as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(count, p.batch())))
    }
}
