//! `dst ← src` on a range of columns; `src = None` writes zeros.

use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Buffer and first column.
    pub src: Option<(Buf, usize)>,
    /// Buffer and first column.
    pub dst: (Buf, usize),
    /// Number of columns.
    pub len: usize,
    /// Number of rows.
    pub rows: usize,
}
