//! Input, target and their derivatives at the present time (step order, item 1).
//!
//! Ramp: `x = x_old + (x_new − x_old)·s`; sequence: `x = x_seq[row]`. Then `ẋ = (x − x_prev)/dt`, where `x_prev` is the
//! content of `x` at entry; the same for `y`. Clamped inputs also get `u̇_in = (x − u_in)/dt`. A value that is not finite
//! is noted in row 2 of `status`. Inactive trajectories hold x and get ẋ = 0.

use crate::plan::Buf;

/// Where the samples of a step come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// Ramp between two static samples, `s` from [`crate::plan::StepControl::ramp`].
    Ramp {
        /// `[batch, n_in]`.
        x_old: Buf,
        /// `[batch, n_in]`.
        x_new: Buf,
        /// `[batch, n_out]`.
        y_old: Buf,
        /// `[batch, n_out]`.
        y_new: Buf,
    },
    /// Rows of `[steps, batch·n]` buffers, chosen by [`crate::plan::StepControl::row`].
    Sequence {
        /// `[steps, batch·n_in]`.
        x: Buf,
        /// `[steps, batch·n_out]`.
        y: Buf,
    },
}

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Where samples come from.
    pub source: Source,
    /// Whether x is computed; without it only the target is (resident weights need no x).
    pub input: bool,
    /// `[batch, 1]`.
    pub active: Buf,
    /// `[batch, n_in]`, in: previous, out: present.
    pub x: Buf,
    /// `[batch, n_in]`.
    pub x_dot: Buf,
    /// `[batch, n_out]`, in: previous, out: present.
    pub y: Buf,
    /// `[batch, n_out]`.
    pub y_dot: Buf,
    /// u and u̇ (`[batch, N]`) if the input population (columns `0..n_in`) is clamped.
    pub clamp: Option<(Buf, Buf)>,
    /// Time step.
    pub dt_ms: f64,
    /// Words `[3, batch]`.
    pub status: Buf,
}
