//! Basal input from a clamped input population while its weights are resident: `out = base + (1 − s) W r_old + s W r_new`.
//!
//! s is the ramp of the step before: clamped inputs lag by one step. Exact as long as ρ is linear over the data.

use super::Base;
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
