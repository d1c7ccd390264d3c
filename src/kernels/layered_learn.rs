//! What the trajectories of a layered network have in common in a time step, between two dispatches of [`super::layered_step`]: Ẇ and the next W of all
//! layers but the first, ḃ and b, `Ẇ r_old` and `Ẇ r_new` of the resident weights.
//!
//! It is no call of a plan. Every sum is one over the trajectories in their order.

use super::host::{Access, PlaceError, Places, Profile, params, to_u32};
use super::layered_step::{Args, Table};

params! {
    batch: u32,
    n: u32,
    free: u32,
    layers: u32,
    b: u32,
    b_factor: u32,
    gram_oo: u32,
    gram_on: u32,
    gram_nn: u32,
    r: u32,
    delta: u32,
    old_rate: u32,
    new_rate: u32,
    b_dot: u32,
    dt: f32,
}

/// Storage bindings of the shader from 3 on: both W and Ẇ, what workgroups share, table.
pub const BINDINGS: &[Access] = &[Access::Write, Access::Write, Access::Read];

/// Invocations of a workgroup: side by side, and in all. A software adapter fills its registers with eight.
#[must_use]
pub fn lanes(profile: Profile) -> [u32; 2] {
    if profile == Profile::Software { [8, 8] } else { [8, 32] }
}

/// Rows and columns of the results of an invocation.
const TILE: [usize; 2] = [4, 8];

/// Workgroups of the jobs.
#[must_use]
pub fn jobs(table: &Table, batch: usize, profile: Profile) -> Vec<usize> {
    let [wide, all] = lanes(profile).map(|lanes| lanes as usize);
    let tiles = |[rows, columns]: [usize; 2]| {
        rows.div_ceil(TILE[0] * (all / wide)) * columns.div_ceil(TILE[1] * wide)
    };
    let resident = tiles([batch, table.first()]);
    let mut learn: Vec<usize> = table.blocks().map(tiles).collect();
    learn.extend([resident, resident, table.free().div_ceil(all)]);
    learn
}

/// Loop iterations of the busiest invocation, each loop counted once more for its end.
#[must_use]
pub fn loops(table: &Table, batch: usize) -> u64 {
    let layers = table.layers() as u64;
    let finding = layers + 2 + 1;
    finding + layers + batch as u64 + 1
}

/// The parameters of the shader.
///
/// # Errors
/// If a buffer is not where the shader reads it.
pub fn params(args: &Args, p: &Places, table: &Table) -> Result<Params, PlaceError> {
    let (plan, fields) = (args.plan(), table.fields());
    let [oo, on, nn] = plan.gram.map(|gram| p.at(gram));
    Ok(Params {
        batch: to_u32(p.batch()),
        n: p.cols(plan.u),
        free: to_u32(table.free()),
        layers: to_u32(table.layers()),
        b: p.at(plan.biases)?,
        b_factor: p.at(plan.bias_factors)?,
        gram_oo: oo?,
        gram_on: on?,
        gram_nn: nn?,
        r: to_u32(fields.r),
        delta: to_u32(fields.delta),
        old_rate: to_u32(fields.old_rate),
        new_rate: to_u32(fields.new_rate),
        b_dot: to_u32(fields.b_dot),
        dt: plan.dt_ms as f32,
    })
}
