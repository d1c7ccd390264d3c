//! Dense solution of `H u̇ = Jᵀ c`, `H = JᵀJ + C`, per trajectory (small networks only).
//!
//! Cholesky first: if it fails, H is not positive definite; that is counted in `solver` and the system is solved by
//! elimination with row pivoting. In mode `fallback` trajectories with a positive definite H keep the u̇ they have.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Only replace u̇ where H is indefinite.
    pub fallback: bool,
    /// J, `[batch, n·n]`.
    pub jac: Buf,
    /// Room for H and its factors, `[batch, n·(n+1)]`.
    pub h: Buf,
    /// `J⁻ᵀ rhs`, `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub d2: Option<Buf>,
    /// Wᵀδ, `[batch, N]`.
    pub apical: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// `[batch, 8]`.
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}
