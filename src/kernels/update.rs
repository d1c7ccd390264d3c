//! `P ← clip(P + dt·Ṗ)` for weights or biases: forward Euler, then the clip (step order, item 7).

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Weights `[post, pre]` or biases `[1, N]`.
    pub p: Buf,
    /// Same shape; `None` = only the clip (factor 0).
    pub p_dot: Option<Buf>,
    /// Columns to update.
    pub cols: Cols,
    /// Time step.
    pub dt_ms: f64,
    /// Bound on |P|.
    pub clip: Option<f64>,
}
