//! Judges a Newton iterate of integrator `equilibrium` by `F = f − e^{−dt/τ} f(u_n)` and asks for the next direction.
//!
//! An iterate with a smaller `max |F|` than the best is accepted: it becomes the best, and `g = −F` is the right-hand side of
//! `H Δ = −F`. One that is worse halves the step. A first iterate whose f is not finite is handed on as the best, so that the end of the step
//! notes it. It ends at the tolerance, after [`STEPS`] directions or [`HALVINGS`] halvings in a row: ρ with
//! kinks may leave no root (model, section 2). Where no direction is wanted g = 0.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Directions after which a trajectory keeps the iterate of smallest residual.
pub const STEPS: usize = 8;

/// Halvings of one direction after which it is given up.
pub const HALVINGS: u32 = 4;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// f of the iterate, `[batch, N]`.
    pub f: Buf,
    /// What f is to become, `[batch, N]`.
    pub target: Buf,
    /// The iterate, `[batch, N]`.
    pub u: Buf,
    /// The best iterate so far, `[batch, N]`.
    pub best: Buf,
    /// `[batch, N]`.
    pub g: Buf,
    /// `[batch, 9]`, see [`super::newton`].
    pub newton: Buf,
    /// Free columns.
    pub cols: Cols,
}

params! {
    f: u32,
    aim: u32,
    u: u32,
    best: u32,
    g: u32,
    newton: u32,
    n: u32,
    start: u32,
    len: u32,
    steps: f32,
    smallest: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

/// The smallest part of a direction that is tried.
pub(crate) fn smallest() -> f64 {
    0.5_f64.powi(HALVINGS as i32)
}

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            f: p.at(self.f)?,
            aim: p.at(self.target)?,
            u: p.at(self.u)?,
            best: p.at(self.best)?,
            g: p.at(self.g)?,
            newton: p.at(self.newton)?,
            n: p.cols(self.u),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            steps: STEPS as f32,
            smallest: smallest() as f32,
        };
        let loops = p.lane_loops(self.cols.len, 2, 2);
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(loops))
    }
}
