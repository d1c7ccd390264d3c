//! Plasticity of the biases: `ḃ = clip(η_b·factor · mean over active trajectories of δ)` (model, section 3). The clip is that of Ẇ, for
//! biases that are weights from a neuron of rate 1.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols, Rate};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub delta: Buf,
    /// Bias factor of each neuron, `[1, N]`.
    pub factor: Buf,
    /// `[1, N]`.
    pub b_dot: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Which learning rate.
    pub rate: Rate,
    /// Bound on |ḃ|, per ms.
    pub clip: Option<f64>,
}

params! {
    delta: u32,
    factor: u32,
    b_dot: u32,
    batch: u32,
    n: u32,
    start: u32,
    len: u32,
    rate: u32,
    clipped: u32,
    clip: f32,
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
            delta: p.at(self.delta)?,
            factor: p.at(self.factor)?,
            b_dot: p.at(self.b_dot)?,
            batch: to_u32(p.batch()),
            n: p.cols(self.delta),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            rate: self.rate as u32,
            clipped: u32::from(self.clip.is_some()),
            clip: self.clip.unwrap_or_default() as f32,
        };
        let groups = p.elementwise(self.cols.len, 1);
        Ok(Invocation::new(&params, p, groups).looping(p.batch() as u64 + 1))
    }
}
