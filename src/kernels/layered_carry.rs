//! Brings the weights of a layered network to where [`super::layered_step`] and [`super::layered_learn`] read and move them, before a run of steps,
//! and back after it.
//!
//! It is no call of a plan.

use super::host::{Access, params, to_u32};
use super::layered_learn;
use super::layered_step::Table;
use crate::kernels::host::Profile;

params! {
    back: u32,
    layers: u32,
    jobs: u32,
}

/// Storage bindings of the shader from 3 on: weights, both W and Ẇ, table.
pub const BINDINGS: &[Access] = &[Access::Write, Access::Write, Access::Read];

/// Invocations of a workgroup.
const LANES: usize = 64;

/// Workgroups of the layers from the second on.
#[must_use]
pub fn jobs(table: &Table) -> Vec<usize> {
    table.blocks().map(|[post, pre]| (post * pre).div_ceil(LANES)).collect()
}

/// The parameters of the shader: before a run of steps, or `back`.
#[must_use]
pub fn params(table: &Table, batch: usize, profile: Profile, back: bool) -> Params {
    let jobs = table.words_of_layers() + layered_learn::jobs(table, batch, profile).len();
    Params { back: u32::from(back), layers: to_u32(table.layers()), jobs: to_u32(jobs) }
}
