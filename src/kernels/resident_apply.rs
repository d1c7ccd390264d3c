//! The one update of a resident projection at the end of a presentation: `W += a_oldᵀ r_old + a_newᵀ r_new`, rank 2·batch.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[post, pre]`.
    pub w: Buf,
    /// `[batch, N]`.
    pub a_old: Buf,
    /// `[batch, N]`.
    pub a_new: Buf,
    /// r_old, `[batch, n_in]`.
    pub x_old: Buf,
    /// r_new, `[batch, n_in]`.
    pub x_new: Buf,
    /// Presynaptic columns (those of the input population).
    pub pre: Cols,
    /// Postsynaptic columns.
    pub post: Cols,
}
