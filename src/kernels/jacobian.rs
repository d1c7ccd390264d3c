//! One block of `J = 1 − W D` per trajectory, `[rows, free]` row-major (small networks only).
//!
//! Rows are the neurons with a mismatch: the free ones, and a clamped input that something projects into.
//!
//! A call without weights writes the identity first; from it the blocks are subtracted.

use super::host::{Access, Invocation, PlaceError, Places, ROW_LANES, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[post, pre]`; `None` writes the identity.
    pub w: Option<Buf>,
    /// ρ'(u), `[batch, N]`.
    pub d: Buf,
    /// `[batch, rows·n]`, n free neurons.
    pub jac: Buf,
    /// Presynaptic columns.
    pub pre: Cols,
    /// Postsynaptic columns.
    pub post: Cols,
    /// Free columns.
    pub cols: Cols,
    /// Neurons with a mismatch.
    pub rows: Cols,
}

params! {
    identity: u32,
    d: u32,
    jac: u32,
    n: u32,
    start: u32,
    free: u32,
    row_start: u32,
    rows: u32,
    pre_start: u32,
    pre_len: u32,
    post_start: u32,
    post_len: u32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[Access::Read];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            identity: u32::from(self.w.is_none()),
            d: p.at(self.d)?,
            jac: p.at(self.jac)?,
            n: p.cols(self.d),
            start: to_u32(self.cols.start),
            free: to_u32(self.cols.len),
            row_start: to_u32(self.rows.start),
            rows: to_u32(self.rows.len),
            pre_start: to_u32(self.pre.start),
            pre_len: to_u32(self.pre.len),
            post_start: to_u32(self.post.start),
            post_len: to_u32(self.post.len),
        };
        let (wide, high) =
            if self.w.is_none() { (self.cols.len, self.rows.len) } else { (self.pre.len, self.post.len) };
        let groups = [wide.div_ceil(ROW_LANES), high, p.batch()];
        Ok(Invocation::new(&params, p, groups).bind(vec![self.w]))
    }
}
