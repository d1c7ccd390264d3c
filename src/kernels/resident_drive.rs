//! Basal input from a clamped input population while its weights are resident: `out = base + (1 − s) W r_old + s W r_new`.
//!
//! s is the ramp of the step before: clamped inputs lag by one step. Exact as long as ρ is linear over the data.

use super::Base;
use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// W r_old, `[batch, N]`.
    pub v_old: Buf,
    /// W r_new, `[batch, N]`.
    pub v_new: Buf,
    /// Zero or the content of `out`.
    pub base: Base,
    /// `[batch, N]`.
    pub out: Buf,
    /// Postsynaptic columns.
    pub cols: Cols,
}

params! {
    v_old: u32,
    v_new: u32,
    base: u32,
    out: u32,
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
            v_old: p.at(self.v_old)?,
            v_new: p.at(self.v_new)?,
            base: self.base.place(p, self.out)?,
            out: p.at(self.out)?,
            n: p.cols(self.out),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
        };
        Ok(Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch())))
    }
}
