//! Start of a BiCGStab solve of `A v = c`, `A = U⁻¹ H L⁻¹`, with the unknown `u̇ = L⁻¹ v` (van der Vorst 1992, preconditioned from
//! both sides).
//!
//! `Guess`: `u̇ ← c`, to be swept by L⁻¹, and ‖c‖² for the stopping rule; resets the iteration count of the step. `Residual`, with
//! `z = A c` there: `res = c − z`, which is shadow and first direction as well; threshold `tol²·‖c‖²`.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The first guess.
    Guess,
    /// Its residual.
    Residual,
}

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Which part.
    pub stage: Stage,
    /// Right-hand side, `[batch, N]`.
    pub c: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// Image of the guess, `[batch, N]`.
    pub z: Buf,
    /// Residual, `[batch, N]`.
    pub res: Buf,
    /// `[batch, N]`.
    pub shadow: Buf,
    /// Direction, `[batch, N]`.
    pub p: Buf,
    /// The direction again, to be swept, `[batch, N]`.
    pub y: Buf,
    /// `shadow·res` and the step length α, `[batch, 2]`.
    pub scalars: Buf,
    /// `[batch, 9]`, see [`super::solver`].
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Relative residual.
    pub tolerance: f64,
}

params! {
    guess: u32,
    c: u32,
    u_dot: u32,
    z: u32,
    res: u32,
    shadow: u32,
    p: u32,
    y: u32,
    scalars: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
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
            guess: u32::from(self.stage == Stage::Guess),
            c: p.at(self.c)?,
            u_dot: p.at(self.u_dot)?,
            z: p.at(self.z)?,
            res: p.at(self.res)?,
            shadow: p.at(self.shadow)?,
            p: p.at(self.p)?,
            y: p.at(self.y)?,
            scalars: p.at(self.scalars)?,
            solver: p.at(self.solver)?,
            n: p.cols(self.u_dot),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            tol2: (self.tolerance * self.tolerance) as f32,
        };
        let loops = p.lane_loops(self.cols.len, 1, 1);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
