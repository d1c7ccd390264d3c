//! `u̇ ← c − Σ_o w_o m_o` with `(1 + m mᵀ) w = m c` per trajectory: the exact inverse of identity plus rank n_out (ρ'' = 0).
//!
//! The rows `m_o = J⁻ᵀ √β e_o` lie in consecutive buffers. Cholesky of an n_out × n_out matrix.

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
