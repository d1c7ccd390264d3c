//! A product with `Ẇ = κ·δᵀ r̄`, or with its transpose, that does not form it: `out += κ·scale·gate ⊙ (O y)` with O the overlaps of x.
//!
//! `Ẇ r̄ = κ·(r̄ r̄ᵀ) δ`: x = r̄, y = δ. `Ẇᵀδ = κ·(δ δᵀ) r̄`: x = δ, y = r̄. Without self-connections the own term of each neuron leaves the
//! overlaps. κ = η·factor/number of active trajectories, of W.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Whose overlaps they are, `[batch, N]`.
    pub x: Buf,
    /// `[batch, N]`.
    pub y: Buf,
    /// `[batch, batch]`.
    pub overlaps: Buf,
    /// What the product is multiplied by, `[batch, N]`.
    pub gate: Option<Buf>,
    /// `[batch, N]`.
    pub out: Buf,
    /// Columns of y, gate and out; where `hollow` is set, of x as well.
    pub cols: Cols,
    /// Ẇ is that of a population onto itself without self-connections.
    pub hollow: bool,
    /// Learning-rate factor of the projection, times the scale of the product.
    pub factor: f64,
}

params! {
    x: u32,
    y: u32,
    overlaps: u32,
    gate: u32,
    out: u32,
    batch: u32,
    n: u32,
    start: u32,
    len: u32,
    hollow: u32,
    factor: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            x: p.at(self.x)?,
            y: p.at(self.y)?,
            overlaps: p.at(self.overlaps)?,
            gate: p.maybe(self.gate)?,
            out: p.at(self.out)?,
            batch: to_u32(p.batch()),
            n: p.cols(self.out),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            hollow: u32::from(self.hollow),
            factor: self.factor as f32,
        };
        let groups = p.elementwise(self.cols.len, p.batch());
        Ok(Invocation::new(&params, p, groups).looping(p.batch() as u64 + 1))
    }
}
