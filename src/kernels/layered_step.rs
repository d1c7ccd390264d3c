//! Time steps of a layered network with resident weights as a whole, a group of trajectories in a workgroup: what
//! [`crate::plan::PlanId::ResidentStep`] does call by call, but for what all trajectories have in common ([`super::layered_learn`]).
//!
//! It is no call of a plan. An executor that can run it takes both instead of the plan: sense, then for each step learn and solve with sense of the step
//! after. On the processor `cpu/layered` is the counterpart of both.

mod table;

use super::host::{Access, PlaceError, Places, Profile, params, to_u32};
use crate::plan::{Buf, Layered, Program};

pub use table::{Fields, Table};

/// What the kernel reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    plan: Layered,
    batch: usize,
}

/// What a dispatch does: bits of its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The end of a run of steps: u̇ and the voltages after it.
    Solve = 1,
    /// Its start: r̄, ρ' and δ.
    Sense = 2,
    /// The end of a step and the start of the next one.
    Both = 3,
}

impl Mode {
    /// All of them, in the order of their bits.
    pub const ALL: [Self; 3] = [Self::Solve, Self::Sense, Self::Both];
}

params! {
    mode: u32,
    batch: u32,
    n: u32,
    n_out: u32,
    free: u32,
    layers: u32,
    out_lanes: u32,
    activation: u32,
    u: u32,
    u_dot: u32,
    b: u32,
    v_old: u32,
    v_new: u32,
    a_old: u32,
    a_new: u32,
    y_old: u32,
    y_new: u32,
    y: u32,
    y_dot: u32,
    beta: u32,
    active_mask: u32,
    solver: u32,
    r: u32,
    delta: u32,
    old_rate: u32,
    new_rate: u32,
    b_dot: u32,
    weights_move: u32,
    biases_move: u32,
    dt: f32,
    inv_dt: f32,
    inv_tau: f32,
    tolerance: f32,
    tol2: f32,
    u_limit: f32,
}

/// Storage bindings of the shader from 3 on: status, both W and Ẇ, what workgroups share, what each keeps, table, control values.
pub const BINDINGS: &[Access] =
    &[Access::Write, Access::Read, Access::Write, Access::Write, Access::Read, Access::Read];

/// Trajectories of a group.
#[must_use]
pub fn group(wide: bool) -> usize {
    if wide { 4 } else { 1 }
}

/// Neurons of the largest layer that a workgroup takes (`ROOM` of `shaders/shared/group_*.wgsl`).
#[must_use]
pub fn room(wide: bool) -> usize {
    if wide { 704 } else { 3072 }
}

impl Args {
    /// What the kernel needs for the steps of a program; `None` where its network is no chain of layers.
    #[must_use]
    pub fn of(program: &Program) -> Option<Self> {
        let plan = program.layered.clone().filter(|plan| !plan.layers.is_empty())?;
        Some(Self { plan, batch: program.batch })
    }

    /// The layers.
    #[must_use]
    pub fn table(&self, profile: Profile) -> Table {
        Table::new(&self.plan, self.batch, profile)
    }

    /// The weight blocks that move from step to step: all but the resident one.
    pub fn weights(&self) -> impl Iterator<Item = Buf> + '_ {
        self.plan.layers.iter().skip(1).map(|l| l.w)
    }

    /// Status words.
    #[must_use]
    pub fn status(&self) -> Buf {
        self.plan.status
    }

    /// Upper bound of solver iterations in a step.
    #[must_use]
    pub fn at_most(&self) -> usize {
        self.plan.at_most
    }

    /// What [`super::layered_learn`] reads of the plan.
    pub(super) fn plan(&self) -> &Layered {
        &self.plan
    }

    /// The parameters of the shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn params(&self, p: &Places, table: &Table, mode: Mode) -> Result<Params, PlaceError> {
        let plan = &self.plan;
        let fields = table.fields();
        Ok(Params {
            mode: mode as u32,
            batch: to_u32(self.batch),
            n: p.cols(plan.u),
            n_out: to_u32(plan.n_out()),
            free: to_u32(table.free()),
            layers: to_u32(table.layers()),
            out_lanes: to_u32(table.out_lanes()),
            activation: plan.activation.code(),
            u: p.at(plan.u)?,
            u_dot: p.at(plan.u_dot)?,
            b: p.at(plan.biases)?,
            v_old: p.at(plan.v[0])?,
            v_new: p.at(plan.v[1])?,
            a_old: p.at(plan.a[0])?,
            a_new: p.at(plan.a[1])?,
            y_old: p.at(plan.targets[0])?,
            y_new: p.at(plan.targets[1])?,
            y: p.at(plan.y)?,
            y_dot: p.at(plan.y_dot)?,
            beta: p.at(plan.beta)?,
            active_mask: p.at(plan.active)?,
            solver: p.at(plan.solver)?,
            r: to_u32(fields.r),
            delta: to_u32(fields.delta),
            old_rate: to_u32(fields.old_rate),
            new_rate: to_u32(fields.new_rate),
            b_dot: to_u32(fields.b_dot),
            weights_move: u32::from(plan.weights_in_dynamics),
            biases_move: u32::from(plan.biases_in_dynamics),
            dt: plan.dt_ms as f32,
            inv_dt: (1.0 / plan.dt_ms) as f32,
            inv_tau: (1.0 / plan.tau_ms) as f32,
            tolerance: plan.tolerance as f32,
            tol2: (plan.tolerance * plan.tolerance) as f32,
            u_limit: plan.u_limit as f32,
        })
    }
}
