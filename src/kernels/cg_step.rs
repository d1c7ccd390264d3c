//! One update of the conjugate gradients after the two sweeps of an iteration.
//!
//! `q = p + h` with `h = z` (full) or `√β z_out` (output; z holds `J⁻¹ J⁻ᵀ √β p` by then); `α = ‖res‖²/pᵀq`; `u̇ += α y` (full) or
//! `u̇ −= α z` (output): each direction's sweep is the update of u̇. Then the next direction. A converged trajectory changes
//! nothing. `pᵀq ≤ 0` is counted as negative curvature: H is indefinite there.

use super::cg_start::Space;
use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Which system.
    pub space: Space,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// `[batch, N]`.
    pub z: Buf,
    /// `[batch, N]`.
    pub y: Buf,
    /// `[batch, N]`.
    pub p: Buf,
    /// `[batch, N]`.
    pub res: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, 9]`.
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    output_space: u32,
    u_dot: u32,
    z: u32,
    y: u32,
    p: u32,
    res: u32,
    beta: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
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
            output_space: u32::from(self.space == Space::Output),
            u_dot: p.at(self.u_dot)?,
            z: p.at(self.z)?,
            y: p.at(self.y)?,
            p: p.at(self.p)?,
            res: p.at(self.res)?,
            beta: p.at(self.beta)?,
            solver: p.at(self.solver)?,
            n: p.cols(self.u_dot),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
        };
        let loops = p.lane_loops(self.cols.len, 3, 2);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
