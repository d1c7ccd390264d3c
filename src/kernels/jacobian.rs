//! One block of `J = 1 − W D` per trajectory, `[free, free]` row-major (small networks only).
//!
//! `identity` writes the unit diagonal and zeros everywhere first.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[post, pre]`; `None` writes the identity.
    pub w: Option<Buf>,
    /// ρ'(u), `[batch, N]`.
    pub d: Buf,
    /// `[batch, n·n]`, n free neurons.
    pub jac: Buf,
    /// Presynaptic columns.
    pub pre: Cols,
    /// Postsynaptic columns.
    pub post: Cols,
    /// Free columns.
    pub cols: Cols,
}
