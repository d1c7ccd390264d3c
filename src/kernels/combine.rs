//! `u̇ = v + w + g − C v`: the explicit schemes `u̇ = rhs + v − H v` up to the product `−D Wᵀ w` that follows.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub v: Buf,
    /// `[batch, N]`.
    pub w: Buf,
    /// `[batch, N]`.
    pub g: Buf,
    /// `[batch, N]`.
    pub d2: Option<Buf>,
    /// Wᵀδ, `[batch, N]`.
    pub apical: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}
