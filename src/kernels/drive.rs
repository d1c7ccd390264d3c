//! The parts of the right-hand side that need no product.
//!
//! `c = −δ/τ + ḃ + [ẋ]_in` (from `s − δ/τ`, model section 2) and `g = β(u* − u)/τ + β u̇*` on the outputs, 0 elsewhere.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub delta: Buf,
    /// `[1, N]`, if ḃ takes part in the dynamics.
    pub b_dot: Option<Buf>,
    /// `[batch, n_in]`: driven inputs.
    pub x_dot: Option<Buf>,
    /// `[batch, N]`.
    pub u: Buf,
    /// u*, `[batch, n_out]`.
    pub y: Buf,
    /// u̇*, `[batch, n_out]`.
    pub y_dot: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub g: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
    /// Membrane time constant.
    pub tau_ms: f64,
}
