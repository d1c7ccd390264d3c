//! `w = c − v` on the free columns: with `+ W D v` from the products, `w = s − δ/τ − J v`.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub v: Buf,
    /// `[batch, N]`.
    pub w: Buf,
    /// Free columns.
    pub cols: Cols,
}
