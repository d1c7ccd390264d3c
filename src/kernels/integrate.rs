//! `u ← u + dt·u̇` for free neurons, `u_in ← x` for clamped ones (step order, item 7).
//!
//! Clamped inputs are set, not stepped: adding `dt·u̇` would miss x by rounding and flip ρ' of pixels on 0 or 1. A voltage or derivative
//! that is not finite is noted in row 0 of `status`, |u| above `u_limit` in row 1. Inactive trajectories hold u and u̇ = 0.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub u: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// x, `[batch, n_in]`, if columns `0..n_in` are clamped.
    pub clamp: Option<Buf>,
    /// `[batch, 1]`.
    pub active: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Time step.
    pub dt_ms: f64,
    /// |u| above this is divergence.
    pub u_limit: f64,
    /// Words `[3, batch]`.
    pub status: Buf,
}
