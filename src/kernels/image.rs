//! `out = base + sign·(C y − ρ'·t)`, `C = diag β − diag(ρ''·E)`: the part of `H y` that is no product with W.
//!
//! With `base = y` and `sign = 1`, and the products `−W D y` that follow, `out = H y` for separate feedback weights, where
//! `t = B y − W^PI T y` (model, section 8). With `base = rhs` and `sign = −1`, and `+W D y`, the explicit schemes `rhs + y − H y`.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub base: Buf,
    /// `[batch, N]`.
    pub y: Buf,
    /// `[batch, N]`; `None` = 0.
    pub t: Option<Buf>,
    /// ρ', `[batch, N]`.
    pub d: Buf,
    /// ρ'', `[batch, N]`; `None` = 0.
    pub d2: Option<Buf>,
    /// Apical error E, `[batch, N]`.
    pub apical: Buf,
    /// `[rows, n_out]`; `None` = 0, and then no ρ'' term either.
    pub beta: Option<Buf>,
    /// `[batch, N]`.
    pub out: Buf,
    /// 1 or −1.
    pub sign: f64,
    /// Free columns.
    pub cols: Cols,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    base: u32,
    y: u32,
    t: u32,
    d: u32,
    d2: u32,
    apical: u32,
    beta: u32,
    out: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
    sign: f32,
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
            base: p.at(self.base)?,
            y: p.at(self.y)?,
            t: p.maybe(self.t)?,
            d: p.at(self.d)?,
            d2: p.maybe(self.d2)?,
            apical: p.at(self.apical)?,
            beta: p.maybe(self.beta)?,
            out: p.at(self.out)?,
            n: p.cols(self.out),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
            sign: self.sign as f32,
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
