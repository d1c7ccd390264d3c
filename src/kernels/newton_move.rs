//! The next Newton iterate of integrator `equilibrium`: `u ← best + scale·Δ`, with Δ = u̇ where a new direction was asked for.
//!
//! A trajectory that has ended takes its best iterate. Books the iterations of the linear solver.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// The solution of `H Δ = −F`, `[batch, N]`.
    pub u_dot: Buf,
    /// The direction that is being tried, `[batch, N]`.
    pub direction: Buf,
    /// The best iterate so far, `[batch, N]`.
    pub best: Buf,
    /// `[batch, N]`.
    pub u: Buf,
    /// `[batch, 9]`, see [`super::newton`].
    pub newton: Buf,
    /// `[batch, 9]`, see [`super::solver`].
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
}

params! {
    u_dot: u32,
    direction: u32,
    best: u32,
    u: u32,
    newton: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
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
            u_dot: p.at(self.u_dot)?,
            direction: p.at(self.direction)?,
            best: p.at(self.best)?,
            u: p.at(self.u)?,
            newton: p.at(self.newton)?,
            solver: p.at(self.solver)?,
            n: p.cols(self.u),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
        };
        let loops = p.lane_loops(self.cols.len, 1, 0);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
