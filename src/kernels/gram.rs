//! Overlaps of the patterns of a mini-batch: `out[b', b] = Σ_j x[b', j] y[b, j]`.

use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, n]`.
    pub x: Buf,
    /// `[batch, n]`.
    pub y: Buf,
    /// `[batch, batch]`.
    pub out: Buf,
}
