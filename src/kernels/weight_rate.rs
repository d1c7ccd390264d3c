//! Plasticity of a projection: `Ẇ = clip(η·factor · mean over active trajectories of δ r̄ᵀ)` (model, section 3).
//!
//! `η / number of active trajectories` comes with the step. Summed over the batch in ascending order.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`, postsynaptic columns.
    pub delta: Buf,
    /// `[batch, N]`, presynaptic columns.
    pub r: Buf,
    /// `[post, pre]`.
    pub w_dot: Buf,
    /// Presynaptic columns.
    pub pre: Cols,
    /// Postsynaptic columns.
    pub post: Cols,
    /// Learning-rate factor of the projection.
    pub factor: f64,
    /// Bound on |Ẇ|, per ms.
    pub clip: Option<f64>,
}
