//! Somato-basal mismatch `δ = u − a` with `a = W r̄ + b + [x]_in` (step order, item 2).
//!
//! `a` enters as `W r̄`. Trajectories without a sample get δ = 0, so that they neither move nor teach.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub u: Buf,
    /// `[1, N]`.
    pub b: Buf,
    /// `[batch, n_in]`, added to columns `0..n_in`: driven inputs.
    pub x: Option<Buf>,
    /// `[batch, 1]`.
    pub active: Buf,
    /// In: `W r̄`; out: a. `[batch, N]`.
    pub a: Buf,
    /// `[batch, N]`.
    pub delta: Buf,
    /// Columns to compute.
    pub cols: Cols,
}
