//! First residual and direction of the conjugate gradients, from the start `v = c`.
//!
//! Full space: `res = −z` with `z = J⁻ᵀ C J⁻¹ c`, `y = p`; threshold `tol²·‖c‖²`. Output space (ρ'' = 0): the unknown is `w` in
//! `(1 + √β M Mᵀ √β) w = √β M c`, `v = c − Mᵀ √β w`, M = the output rows of `J⁻¹`; `res = √β u̇_out`, `z = √β p` on the outputs
//! and 0 elsewhere; threshold `tol²·‖res‖²`.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// The space in which conjugate gradients run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// All free neurons: `(1 + J⁻ᵀ C J⁻¹) v = c`.
    Full,
    /// The outputs, for ρ'' = 0.
    Output,
}

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Which system.
    pub space: Space,
    /// `J⁻¹ c`, `[batch, N]`.
    pub u_dot: Buf,
    /// `[batch, N]`.
    pub z: Buf,
    /// `[batch, N]`.
    pub y: Buf,
    /// Direction, `[batch, N]`.
    pub p: Buf,
    /// Residual, `[batch, N]`.
    pub res: Buf,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, 9]`.
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
    /// Relative residual.
    pub tolerance: f64,
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
    tol2: f32,
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
            tol2: (self.tolerance * self.tolerance) as f32,
        };
        let loops = p.lane_loops(self.cols.len, 1, 1);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
