//! Product against a projection: `out_pre = base + scale · gate ⊙ (Wᵀ x_post)`.
//!
//! With `x = δ` and no gate the apical error `Wᵀδ`; with `gate = ρ'` one block of `D Wᵀ z`, hence of the backward sweep that
//! applies `J⁻ᵀ` to a feedforward graph; with Ẇ in place of W the term `ρ'·(Ẇᵀδ)`.

use super::Base;
use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[post, pre]`.
    pub w: Buf,
    /// `[batch, N]`, or `[batch, M]` of interneurons.
    pub x: Buf,
    /// `[batch, N]`, on the presynaptic columns.
    pub gate: Option<Buf>,
    /// What the product is added to.
    pub base: Base,
    /// `[batch, N]`; may be `x` itself (disjoint columns).
    pub out: Buf,
    /// Presynaptic columns.
    pub pre: Cols,
    /// Postsynaptic columns.
    pub post: Cols,
    /// Factor of the product.
    pub scale: f64,
}

params! {
    x: u32,
    gate: u32,
    base: u32,
    out: u32,
    batch: u32,
    n: u32,
    x_n: u32,
    pre_start: u32,
    pre_len: u32,
    post_start: u32,
    post_len: u32,
    scale: f32,
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
            x: p.at(self.x)?,
            gate: p.maybe(self.gate)?,
            base: self.base.place(p, self.out)?,
            out: p.at(self.out)?,
            batch: to_u32(p.batch()),
            n: p.cols(self.out),
            x_n: p.cols(self.x),
            pre_start: to_u32(self.pre.start),
            pre_len: to_u32(self.pre.len),
            post_start: to_u32(self.post.start),
            post_len: to_u32(self.post.len),
            scale: self.scale as f32,
        };
        let call = Invocation::product(&params, p, [p.batch(), self.post.len, self.pre.len]);
        Ok(call.bind(vec![Some(self.w)]).gated(self.gate.is_some()))
    }
}
