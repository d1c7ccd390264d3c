//! Plasticity of the biases: `ḃ = η_b·factor · mean over active trajectories of δ` (model, section 3).

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub delta: Buf,
    /// Bias factor of each neuron, `[1, N]`.
    pub factor: Buf,
    /// `[1, N]`.
    pub b_dot: Buf,
    /// Free columns.
    pub cols: Cols,
}
