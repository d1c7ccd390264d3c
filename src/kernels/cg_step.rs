//! One update of the conjugate gradients after the two sweeps of an iteration.
//!
//! `q = p + h` with `h = z` (full) or `√β z_out` (output; z holds `J⁻¹ J⁻ᵀ √β p` by then); `α = ‖res‖²/pᵀq`; `u̇ += α y` (full) or
//! `u̇ −= α z` (output): each direction's sweep is the update of u̇. Then the next direction. A converged trajectory changes
//! nothing. `pᵀq ≤ 0` is counted as negative curvature: H is indefinite there.

use super::cg_start::Space;
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Which system.
    pub space: Space,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// `[batch, N]`.
    pub z: Buf,
    /// `[batch, N]`.
    pub y: Buf,
    /// `[batch, N]`.
    pub p: Buf,
    /// `[batch, N]`.
    pub res: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, 8]`.
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}
