//! `c ← c + g + ρ'·(E/τ + q)`: the right-hand side for separate feedback weights (model, section 8).
//!
//! c holds the terms of the basal input, g those of the nudging, E the apical error, q what feedback, interneurons and their plasticity
//! drive apically.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub g: Buf,
    /// ρ', `[batch, N]`.
    pub d: Buf,
    /// E, `[batch, N]`.
    pub apical: Buf,
    /// `[batch, N]`.
    pub q: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Membrane time constant.
    pub tau_ms: f64,
}

params! {
    c: u32,
    g: u32,
    d: u32,
    apical: u32,
    q: u32,
    n: u32,
    start: u32,
    len: u32,
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
            c: p.at(self.c)?,
            g: p.at(self.g)?,
            d: p.at(self.d)?,
            apical: p.at(self.apical)?,
            q: p.at(self.q)?,
            n: p.cols(self.c),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            inv_tau: (1.0 / self.tau_ms) as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
