//! Takes the next static sample of every active trajectory.
//!
//! `x_old ← x_new`, `x_new ← pixel_table[pixels]`; `y_old ← y_new`, `y_new[o] ← label_table[label == o]`.
//! Pixels stay `u8` until here: the host uploads a quarter of the bytes, and the table holds whatever encoding the
//! experiment asks for (unit range, logit). Trajectories without a sample (`active = 0`) hold all four.

use super::host::{Access, Invocation, PlaceError, Places, params};
use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Bytes `[batch, n_in]`.
    pub pixels: Buf,
    /// Bytes `[batch, 1]`.
    pub labels: Buf,
    /// Value of each byte, `[1, 256]`.
    pub pixel_table: Buf,
    /// Target of the wrong and of the right class, `[1, 2]`.
    pub label_table: Buf,
    /// 1 where the trajectory has a sample, else 0, `[batch, 1]`.
    pub active: Buf,
    /// `[batch, n_in]`.
    pub x_old: Buf,
    /// `[batch, n_in]`.
    pub x_new: Buf,
    /// `[batch, n_out]`.
    pub y_old: Buf,
    /// `[batch, n_out]`.
    pub y_new: Buf,
}

params! {
    pixel_table: u32,
    label_table: u32,
    active_mask: u32,
    x_old: u32,
    x_new: u32,
    y_old: u32,
    y_new: u32,
    n_in: u32,
    n_out: u32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[Access::Read, Access::Read];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            pixel_table: p.at(self.pixel_table)?,
            label_table: p.at(self.label_table)?,
            active_mask: p.at(self.active)?,
            x_old: p.at(self.x_old)?,
            x_new: p.at(self.x_new)?,
            y_old: p.at(self.y_old)?,
            y_new: p.at(self.y_new)?,
            n_in: p.cols(self.x_new),
            n_out: p.cols(self.y_new),
        };
        let signals = p.program.spec(self.x_new).cols + p.program.spec(self.y_new).cols;
        let bound = vec![Some(self.pixels), Some(self.labels)];
        Ok(Invocation::new(&params, p, p.elementwise(signals, p.batch())).bind(bound))
    }
}
