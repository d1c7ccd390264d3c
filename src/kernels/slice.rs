//! Input, target and their derivatives at the present time, from a recording (step order, item 1).
//!
//! With `row` and `ramp = s` of the step, and the first row of a trajectory's window, `cursor`: `d = d_row + (d_{row+1} − d_row) s` where
//! `d_k` is row `cursor + k` of the recording as it is held, and each channel is `gain·d + offset` (model, section 7: linear interpolation to
//! dt). The first `n_in` columns are x, the others u*. Then `ẋ = (x − x_prev)/dt`, where `x_prev` is the content of `x` at entry; the same for
//! `y`. Clamped inputs also get `u̇_in = (x − u_in)/dt`. Nothing beyond `row` is read where `s = 0`: the last row of a window has no next.
//! A value that is not finite is noted in row 2 of `status`. Inactive trajectories hold x and get ẋ = 0.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::data::series::Format;
use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Bytes `[rows, channels·bytes]`, values of `format`.
    pub series: Buf,
    /// How a value is held.
    pub format: Format,
    /// Bytes `[batch, 4]`: the first row of each trajectory's window, a 32-bit word, little-endian.
    pub cursor: Buf,
    /// `[1, channels]`.
    pub gain: Buf,
    /// `[1, channels]`.
    pub offset: Buf,
    /// Start of a window: x and y jump to its first row, with derivatives 0.
    pub start: bool,
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
    gain: u32,
    offset: u32,
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
    rows: u32,
    single: u32,
    start: u32,
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
        let (u, u_dot) = self.clamp.unzip();
        let params = Params {
            gain: p.at(self.gain)?,
            offset: p.at(self.offset)?,
            active_mask: p.at(self.active)?,
            x: p.at(self.x)?,
            x_dot: p.at(self.x_dot)?,
            y: p.at(self.y)?,
            y_dot: p.at(self.y_dot)?,
            u: p.maybe(u)?,
            u_dot: p.maybe(u_dot)?,
            batch: to_u32(p.batch()),
            n: to_u32(p.neurons),
            n_in: p.cols(self.x),
            n_out: p.cols(self.y),
            rows: to_u32(p.program.spec(self.series).rows),
            single: u32::from(self.format == Format::F32),
            start: u32::from(self.start),
            inv_dt: (1.0 / self.dt_ms) as f32,
        };
        let signals = p.program.spec(self.x).cols + p.program.spec(self.y).cols;
        let bound = vec![Some(self.status), Some(self.series), Some(self.cursor)];
        Ok(Invocation::new(&params, p, p.elementwise(signals, p.batch())).bind(bound))
    }
}
