//! Half an iteration of BiCGStab, after the operator has been applied to the swept direction or to the swept residual.
//!
//! `First`, with `y = L⁻¹ p` and `q = A p`: `α = ρ/(shadow·q)`, `u̇ += α y`, `res −= α q`. `Second`, with `y = L⁻¹ res` and
//! `z = A res`: `ω = z·res/z·z`, `u̇ += ω y`, `res −= ω z`, and the next direction `p = res + β (p − ω q)`. Where a denominator
//! vanishes but for rounding, the iteration starts anew from the present residual. A converged trajectory changes nothing.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Which half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Along the direction.
    First,
    /// Along the residual.
    Second,
}

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Which half.
    pub half: Half,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// Image of the direction, `[batch, N]`.
    pub q: Buf,
    /// Image of the residual, `[batch, N]`.
    pub z: Buf,
    /// Residual, `[batch, N]`.
    pub res: Buf,
    /// `[batch, N]`.
    pub shadow: Buf,
    /// Direction, `[batch, N]`.
    pub p: Buf,
    /// Swept direction or residual; after the call what is to be swept next, `[batch, N]`.
    pub y: Buf,
    /// `shadow·res` and α, `[batch, 2]`.
    pub scalars: Buf,
    /// `[batch, 9]`, see [`super::solver`].
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
}

params! {
    first: u32,
    u_dot: u32,
    q: u32,
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
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

/// Cosine below which two vectors count as orthogonal but for rounding, in units of the roundoff.
pub const ORTHOGONAL: f64 = 4.0;

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            first: u32::from(self.half == Half::First),
            u_dot: p.at(self.u_dot)?,
            q: p.at(self.q)?,
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
        };
        let loops = p.lane_loops(self.cols.len, 3, 5);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
