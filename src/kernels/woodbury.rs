//! `u̇ ← c − Σ_o w_o m_o` with `(1 + m mᵀ) w = m c` per trajectory: the exact inverse of identity plus rank n_out (ρ'' = 0).
//!
//! The rows `m_o = J⁻ᵀ √β e_o` lie in consecutive buffers. Cholesky of an n_out × n_out matrix.

use super::host::{Access, DENSE_LANES, Invocation, PlaceError, Places, cholesky_loops, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `m_0`, `[batch, N]`; `m_o` is buffer `first + o`.
    pub first: Buf,
    /// Room for the small matrix and the right-hand side, `[batch, n_out·(n_out+1)]`.
    pub k: Buf,
    /// In: c; out: v. `[batch, N]`.
    pub u_dot: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    first: u32,
    stride: u32,
    k: u32,
    u_dot: u32,
    n: u32,
    start: u32,
    len: u32,
    n_out: u32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let first = p.at(self.first)?;
        // Buffers of one shape that follow one another lie at equal distances.
        let second = Buf(self.first.0 + 1);
        let stride = if self.outputs.len > 1 { p.at(second)? - first } else { 0 };
        let params = Params {
            first,
            stride,
            k: p.at(self.k)?,
            u_dot: p.at(self.u_dot)?,
            n: p.cols(self.u_dot),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            n_out: to_u32(self.outputs.len),
        };
        let (size, free) = (self.outputs.len as u64, self.cols.len as u64);
        let lanes = u64::from(DENSE_LANES);
        let entries = (size * (size + 1)).div_ceil(lanes) * (free + 2) + 1;
        let update = free.div_ceil(lanes) * (size + 2) + 1;
        let loops = entries + update + cholesky_loops(self.outputs.len);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
