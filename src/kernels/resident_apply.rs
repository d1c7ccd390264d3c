//! The one update of a resident projection at the end of a presentation: `W += a_oldᵀ r_old + a_newᵀ r_new`, rank 2·batch.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
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

params! {
    a_old: u32,
    a_new: u32,
    x_old: u32,
    x_new: u32,
    batch: u32,
    n: u32,
    n_in: u32,
    pre_start: u32,
    pre_len: u32,
    post_start: u32,
    post_len: u32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[Access::Write];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            a_old: p.at(self.a_old)?,
            a_new: p.at(self.a_new)?,
            x_old: p.at(self.x_old)?,
            x_new: p.at(self.x_new)?,
            batch: to_u32(p.batch()),
            n: p.cols(self.a_old),
            n_in: p.cols(self.x_old),
            pre_start: to_u32(self.pre.start),
            pre_len: to_u32(self.pre.len),
            post_start: to_u32(self.post.start),
            post_len: to_u32(self.post.len),
        };
        let call = Invocation::product(&params, p, [self.post.len, 2 * p.batch(), self.pre.len]);
        Ok(call.bind(vec![Some(self.w)]))
    }
}
