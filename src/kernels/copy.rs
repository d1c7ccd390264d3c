//! `dst ← src` on a range of columns; `src = None` writes zeros.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
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

params! {
    src: u32,
    src_width: u32,
    src_start: u32,
    dst: u32,
    dst_width: u32,
    dst_start: u32,
    len: u32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let (src, from) = self.src.map_or((None, 0), |(src, from)| (Some(src), from));
        let params = Params {
            src: p.maybe(src)?,
            src_width: p.cols_or_zero(src),
            src_start: to_u32(from),
            dst: p.at(self.dst.0)?,
            dst_width: p.cols(self.dst.0),
            dst_start: to_u32(self.dst.1),
            len: to_u32(self.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.len, self.rows)))
    }
}
