//! The guess v of the explicit schemes, from the history of u̇.
//!
//! `euler`: u̇₁; `richardson1`: 2u̇₁ − u̇₂; `richardson2`: (8u̇₁ − 6u̇₂ + u̇₄)/3, u̇ₖ being u̇ k steps ago. Shifts the history. Clamped
//! inputs take their known u̇ as guess.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// u̇₁, `[batch, N]`.
    pub u_dot: Buf,
    /// u̇₂, u̇₃, u̇₄ as far as the scheme needs them.
    pub history: Vec<Buf>,
    /// Weights of u̇₁ … u̇₄.
    pub weights: [f64; 4],
    /// `[batch, N]`.
    pub v: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Clamped columns (empty if none).
    pub clamped: Cols,
}
