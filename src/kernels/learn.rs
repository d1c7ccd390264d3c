//! `W ← clip(W + dt·κ·δᵀ r̄)` in one pass: the update of weights whose derivative is not formed; the diagonal stays where no neuron projects
//! onto itself. κ = η·factor/number of active trajectories, of W.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`, postsynaptic columns.
    pub delta: Buf,
    /// `[batch, N]`, presynaptic columns.
    pub r: Buf,
    /// `[post, pre]`.
    pub w: Buf,
    /// Presynaptic columns.
    pub pre: Cols,
    /// Postsynaptic columns.
    pub post: Cols,
    /// Learning-rate factor of the projection.
    pub factor: f64,
    /// Time step.
    pub dt_ms: f64,
    /// Bound on |W|.
    pub clip: Option<f64>,
    /// A projection from a population to itself without self-connections.
    pub hollow: bool,
}

params! {
    delta: u32,
    r: u32,
    batch: u32,
    n: u32,
    r_n: u32,
    pre_start: u32,
    pre_len: u32,
    post_start: u32,
    post_len: u32,
    clipped: u32,
    hollow: u32,
    share: f32,
    clip: f32,
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
            delta: p.at(self.delta)?,
            r: p.at(self.r)?,
            batch: to_u32(p.batch()),
            n: p.cols(self.delta),
            r_n: p.cols(self.r),
            pre_start: to_u32(self.pre.start),
            pre_len: to_u32(self.pre.len),
            post_start: to_u32(self.post.start),
            post_len: to_u32(self.post.len),
            clipped: u32::from(self.clip.is_some()),
            hollow: u32::from(self.hollow),
            share: (self.factor * self.dt_ms) as f32,
            clip: self.clip.unwrap_or_default() as f32,
        };
        let call = Invocation::product(&params, p, [self.post.len, p.batch(), self.pre.len]);
        Ok(call.bind(vec![Some(self.w)]))
    }
}
