//! `z = C ⊙ y` with `C = diag β − diag(ρ''·(Wᵀδ))`: what distinguishes H from JᵀJ.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub y: Buf,
    /// ρ''(u), `[batch, N]`.
    pub d2: Option<Buf>,
    /// Wᵀδ, `[batch, N]`.
    pub apical: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub z: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}
