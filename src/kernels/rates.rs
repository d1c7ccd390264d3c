//! `r̄ = ρ(u)`, `ρ'(u)` and, where it does not vanish, `ρ''(u)` (step order, item 2).

use crate::network::Activation;
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Voltages `[batch, N]`.
    pub u: Buf,
    /// ρ(u) `[batch, N]`.
    pub r: Buf,
    /// ρ'(u) `[batch, N]`.
    pub d: Buf,
    /// ρ''(u) `[batch, N]`; `None` for piecewise-linear ρ.
    pub d2: Option<Buf>,
    /// Columns to compute.
    pub cols: Cols,
    /// Columns below this one have ρ = identity (input mode `rates`).
    pub identity: usize,
    /// ρ.
    pub activation: Activation,
}
