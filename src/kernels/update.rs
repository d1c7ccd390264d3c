//! `P ← clip(P + dt·Ṗ)` for weights or biases: forward Euler, then the clip (step order, item 7).

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Weights `[post, pre]` or biases `[1, N]`.
    pub p: Buf,
    /// Same shape; `None` = only the clip (factor 0).
    pub p_dot: Option<Buf>,
    /// Columns to update.
    pub cols: Cols,
    /// Time step.
    pub dt_ms: f64,
    /// Bound on |P|.
    pub clip: Option<f64>,
}

params! {
    in_state: u32,
    has_rate: u32,
    clipped: u32,
    p: u32,
    p_dot: u32,
    width: u32,
    start: u32,
    len: u32,
    dt: f32,
    clip: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[Access::Write, Access::Read];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        // Biases lie in the arena, weights do not.
        let in_state = p.at[self.p.0 as usize].is_some();
        let place = |buf: Option<Buf>| if in_state { p.maybe(buf) } else { Ok(0) };
        let params = Params {
            in_state: u32::from(in_state),
            has_rate: u32::from(self.p_dot.is_some()),
            clipped: u32::from(self.clip.is_some()),
            p: place(Some(self.p))?,
            p_dot: place(self.p_dot)?,
            width: p.cols(self.p),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            dt: self.dt_ms as f32,
            clip: self.clip.unwrap_or_default() as f32,
        };
        let groups = p.elementwise(self.cols.len, p.program.spec(self.p).rows);
        let bound = if in_state { vec![None, None] } else { vec![Some(self.p), self.p_dot] };
        Ok(Invocation::new(&params, p, groups).bind(bound))
    }
}
