//! Product against a projection: `out_pre = base + scale · gate ⊙ (Wᵀ x_post)`.
//!
//! With `x = δ` and no gate the apical error `Wᵀδ`; with `gate = ρ'` one block of `D Wᵀ z`, hence of the backward sweep that
//! applies `J⁻ᵀ` to a feedforward graph; with Ẇ in place of W the term `ρ'·(Ẇᵀδ)`.

use super::Base;
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[post, pre]`.
    pub w: Buf,
    /// `[batch, N]`.
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
