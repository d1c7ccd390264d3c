//! `d2 ← ρ''·E` with E = `Wᵀδ`: what the bend of ρ takes from H, in place of ρ'', so that a solver needs neither of the two factors.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// ρ''(u) at entry, `[batch, N]`.
    pub d2: Buf,
    /// Wᵀδ, `[batch, N]`.
    pub apical: Buf,
    /// Free columns.
    pub cols: Cols,
}

params! {
    d2: u32,
    apical: u32,
    n: u32,
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
            d2: p.at(self.d2)?,
            apical: p.at(self.apical)?,
            n: p.cols(self.d2),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
