//! First residual and direction of the conjugate gradients, from the start `v = c`.
//!
//! Full space: `res = −z` with `z = J⁻ᵀ C J⁻¹ c`, `y = p`; threshold `tol²·‖c‖²`. Output space (ρ'' = 0): the unknown is `w` in
//! `(1 + √β M Mᵀ √β) w = √β M c`, `v = c − Mᵀ √β w`, M = the output rows of `J⁻¹`; `res = √β u̇_out`, `z = √β p` on the outputs
//! and 0 elsewhere; threshold `tol²·‖res‖²`.

use crate::plan::{Buf, Cols};

/// The space in which conjugate gradients run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// All free neurons: `(1 + J⁻ᵀ C J⁻¹) v = c`.
    Full,
    /// The outputs, for ρ'' = 0.
    Output,
}

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Which system.
    pub space: Space,
    /// `J⁻¹ c`, `[batch, N]`.
    pub u_dot: Buf,
    /// `[batch, N]`.
    pub z: Buf,
    /// `[batch, N]`.
    pub y: Buf,
    /// Direction, `[batch, N]`.
    pub p: Buf,
    /// Residual, `[batch, N]`.
    pub res: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, 8]`.
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
    /// Relative residual.
    pub tolerance: f64,
}
