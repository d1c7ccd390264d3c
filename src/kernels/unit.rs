//! `m = √β_o` in the column of output `o`, 0 in the other free columns: start of row `o` of `√β M` (Woodbury).

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub m: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// o.
    pub output: usize,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}
