//! Takes the next static sample of every active trajectory.
//!
//! `x_old ← x_new`, `x_new ← pixel_table[pixels]`; `y_old ← y_new`, `y_new[o] ← label_table[label == o]`.
//! Pixels stay `u8` until here: the host uploads a quarter of the bytes, and the table holds whatever encoding the
//! experiment asks for (unit range, logit). Trajectories without a sample (`active = 0`) hold all four.

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
