//! What learns apically: the error `E = B u − W^PI u^I` and the mismatch `u − B u`, both 0 where the trajectory has no sample.

use super::host::{Access, Invocation, PlaceError, Places, params};
use crate::plan::Buf;

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub u: Buf,
    /// `B u`, `[batch, N]`; becomes `u − B u`.
    pub feedback: Buf,
    /// E, `[batch, N]`.
    pub apical: Buf,
    /// `[batch, 1]`.
    pub active: Buf,
}

params! {
    u: u32,
    feedback: u32,
    apical: u32,
    active_mask: u32,
    n: u32,
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
            u: p.at(self.u)?,
            feedback: p.at(self.feedback)?,
            apical: p.at(self.apical)?,
            active_mask: p.at(self.active)?,
            n: p.cols(self.u),
        };
        let n = p.program.spec(self.u).cols;
        Ok(Invocation::new(&params, p, p.elementwise(n, p.batch())))
    }
}
