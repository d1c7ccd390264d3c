//! Takes the next values of every active trajectory: `old ← new`, `new ← next`. Trajectories without a sample (`active = 0`) hold both.

use super::host::{Access, Invocation, PlaceError, Places, params};
use crate::plan::Buf;

/// Arguments of the kernel; all of `[batch, n]` but `active`.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// What the host wrote.
    pub next: Buf,
    /// 1 where the trajectory has a sample, else 0, `[batch, 1]`.
    pub active: Buf,
    /// The values before.
    pub old: Buf,
    /// The values now.
    pub new: Buf,
}

params! {
    next: u32,
    active_mask: u32,
    old: u32,
    new_values: u32,
    width: u32,
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
            next: p.at(self.next)?,
            active_mask: p.at(self.active)?,
            old: p.at(self.old)?,
            new_values: p.at(self.new)?,
            width: p.cols(self.new),
        };
        let width = p.program.spec(self.new).cols;
        Ok(Invocation::new(&params, p, p.elementwise(width, p.batch())))
    }
}
