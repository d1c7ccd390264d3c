//! `c ← c + z`, `u̇ ← c` on the free columns, and `‖c‖²` for the stopping rule.
//!
//! After the backward sweep `z = J⁻ᵀ g`, this is `J⁻ᵀ rhs`. Resets the iteration count of the step.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub z: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// `[batch, 8]`, see [`super::solver`].
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
}
