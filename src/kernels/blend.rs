//! `out ← Σ kᵢ xᵢ` on a range of columns, for up to three buffers; `out` may be one of them.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Factors and buffers `[batch, N]`; `None` counts as zeros.
    pub terms: [Option<(f64, Buf)>; 3],
    /// `[batch, N]`.
    pub out: Buf,
    /// Columns.
    pub cols: Cols,
}

impl Args {
    /// `out ← k₀ x₀ + k₁ x₁ + …` for at most three terms; further ones are left out.
    #[must_use]
    pub fn new(out: Buf, cols: Cols, terms: &[(f64, Buf)]) -> Self {
        let at = |i: usize| terms.get(i).copied();
        Self { terms: [at(0), at(1), at(2)], out, cols }
    }
}

params! {
    x0: u32,
    x1: u32,
    x2: u32,
    out: u32,
    n: u32,
    start: u32,
    len: u32,
    k0: f32,
    k1: f32,
    k2: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let buf = |i: usize| p.maybe(self.terms[i].map(|(_, buf)| buf));
        let factor = |i: usize| self.terms[i].map_or(0.0, |(k, _)| k) as f32;
        let params = Params {
            x0: buf(0)?,
            x1: buf(1)?,
            x2: buf(2)?,
            out: p.at(self.out)?,
            n: p.cols(self.out),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            k0: factor(0),
            k1: factor(1),
            k2: factor(2),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
