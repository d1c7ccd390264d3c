//! Input, target and their derivatives at the present time (step order, item 1).
//!
//! Ramp: `x = x_old + (x_new − x_old)·s`; sequence: `x = x_seq[row]`. Then `ẋ = (x − x_prev)/dt`, where `x_prev` is the
//! content of `x` at entry; the same for `y`. Clamped inputs also get `u̇_in = (x − u_in)/dt`. A value that is not finite
//! is noted in row 2 of `status`. Inactive trajectories hold x and get ẋ = 0.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
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

params! {
    sequence: u32,
    x_old: u32,
    x_new: u32,
    y_old: u32,
    y_new: u32,
    active_mask: u32,
    x: u32,
    x_dot: u32,
    y: u32,
    y_dot: u32,
    u: u32,
    u_dot: u32,
    batch: u32,
    n: u32,
    n_in: u32,
    n_out: u32,
    inv_dt: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[Access::Write, Access::Read, Access::Read];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let (ramp, sequence) = match self.source {
            Source::Ramp { x_old, x_new, y_old, y_new } => {
                ([x_old, x_new, y_old, y_new].map(Some), [None, None])
            }
            Source::Sequence { x, y } => ([None; 4], [Some(x), Some(y)]),
        };
        let (u, u_dot) = self.clamp.unzip();
        let params = Params {
            sequence: u32::from(sequence[0].is_some()),
            x_old: p.maybe(ramp[0])?,
            x_new: p.maybe(ramp[1])?,
            y_old: p.maybe(ramp[2])?,
            y_new: p.maybe(ramp[3])?,
            active_mask: p.at(self.active)?,
            x: p.at(self.x)?,
            x_dot: p.at(self.x_dot)?,
            y: p.at(self.y)?,
            y_dot: p.at(self.y_dot)?,
            u: p.maybe(u)?,
            u_dot: p.maybe(u_dot)?,
            batch: to_u32(p.batch()),
            n: to_u32(p.neurons),
            // Without inputs all invocations are outputs.
            n_in: if self.input { p.cols(self.x) } else { 0 },
            n_out: p.cols(self.y),
            inv_dt: (1.0 / self.dt_ms) as f32,
        };
        let inputs = if self.input { p.program.spec(self.x).cols } else { 0 };
        let signals = inputs + p.program.spec(self.y).cols;
        let bound = vec![Some(self.status), sequence[0], sequence[1]];
        Ok(Invocation::new(&params, p, p.elementwise(signals, p.batch())).bind(bound))
    }
}
