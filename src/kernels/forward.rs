//! Product along a projection: `out_post = base + scale · W (gate ⊙ x_pre)`.
//!
//! With `x = r̄` the basal input `W r̄`; with `gate = ρ'` one block of `W D y`, hence of the forward sweep that applies `J⁻¹`
//! to a feedforward graph; with Ẇ in place of W the term `Ẇ r̄`.

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
