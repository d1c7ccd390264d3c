//! `dst ← keep·dst + scale·src` at the outputs with β = ∞, whose voltages are prescribed; other outputs keep what they have.
//!
//! The limit β → ∞ of the nudging clamps an output to its target: its row and column leave the system, as those of a clamped
//! input do (model, section 2).

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`, written on the output columns.
    pub dst: Buf,
    /// `[batch, any]` and the column of the first output; `None` = zeros.
    pub src: Option<(Buf, usize)>,
    /// Factor of what `dst` holds; with 0 it is not read.
    pub keep: f64,
    /// Factor of `src`.
    pub scale: f64,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    beta: u32,
    dst: u32,
    src: u32,
    n: u32,
    src_n: u32,
    src_start: u32,
    out_start: u32,
    n_out: u32,
    keep: f32,
    scale: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let (src, first) = self.src.map_or((None, 0), |(src, first)| (Some(src), first));
        let params = Params {
            beta: p.at(self.beta)?,
            dst: p.at(self.dst)?,
            src: p.maybe(src)?,
            n: p.cols(self.dst),
            src_n: p.cols_or_zero(src),
            src_start: to_u32(first),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
            keep: self.keep as f32,
            scale: self.scale as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.outputs.len, p.batch())))
    }
}
