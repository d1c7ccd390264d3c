//! What tells whether to trust a run, one row a trajectory (columns in [`super::record`]).
//!
//! `f = δ − ρ'·(Wᵀδ) − β(u* − u)` over the free neurons, the Lagrangian `L = ½‖δ‖² + ½ Σ β (u* − u)²`, the cost `½‖u* − a_o‖²` and
//! class of the basal prediction `a_o`, the largest |u| of the free neurons, and the number of hidden neurons with ρ' below 5 % of its maximum.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub u: Buf,
    /// `[batch, N]`.
    pub d: Buf,
    /// `[batch, N]`.
    pub a: Buf,
    /// `[batch, N]`.
    pub delta: Buf,
    /// Wᵀδ, `[batch, N]`.
    pub apical: Buf,
    /// `[batch, n_out]`.
    pub y: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, 8]`.
    pub record: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
    /// Largest ρ', the unit of saturation.
    pub steepest: f64,
}
