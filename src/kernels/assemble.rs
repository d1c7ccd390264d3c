//! `c ← c + z`, `u̇ ← c` on the free columns (unless u̇ is to start from what it was), and `‖c‖²` for the stopping rule.
//!
//! After the backward sweep `z = J⁻ᵀ g`, this is `J⁻ᵀ rhs`. Resets the iteration count of the step.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub z: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// `[batch, 9]`, see [`super::solver`].
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Whether u̇ keeps what it holds.
    pub warm: bool,
}

params! {
    c: u32,
    z: u32,
    u_dot: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
    warm: u32,
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
            c: p.at(self.c)?,
            z: p.at(self.z)?,
            u_dot: p.at(self.u_dot)?,
            solver: p.at(self.solver)?,
            n: p.cols(self.c),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            warm: u32::from(self.warm),
        };
        let loops = p.lane_loops(self.cols.len, 1, 1);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
