//! Books the iterations of a step: maximum and sum of counts, largest residual, trajectories that did not converge.

use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, 8]`.
    pub solver: Buf,
    /// `[batch, 1]`.
    pub active: Buf,
    /// Relative residual that was asked for.
    pub tolerance: f64,
}
