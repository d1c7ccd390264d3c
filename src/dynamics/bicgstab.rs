//! BiCGStab for systems `H u̇ = c` that are not symmetric, preconditioned by sweeps from both sides.
//!
//! With `u̇ = L⁻¹ v`, L the forward-running block lower triangle of J, and a left factor U⁻¹ that the caller names, the iteration runs on
//! `A = U⁻¹ H L⁻¹`, the identity plus something small. Each direction's sweep is the update of u̇, so that no sweep is left for the
//! end. An iteration applies the operator and both sweeps twice.

use super::layout::Maker;
use super::{Build, equilibrium};
use crate::kernels::bicg_start::Stage;
use crate::kernels::bicg_step::Half;
use crate::kernels::{bicg_start, bicg_step};
use crate::plan::{Buf, Loop, Op, Plan, Role};

/// Buffers of the iteration beside those that it shares with conjugate gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BicgLayout {
    /// `[batch, N]`.
    pub shadow: Buf,
    /// Image of the direction, `[batch, N]`.
    pub q: Buf,
    /// `[batch, 2]`.
    pub scalars: Buf,
}

impl BicgLayout {
    /// For `batch` trajectories, 0 where the solver does not run.
    pub(super) fn new(m: &mut Maker, batch: usize, neurons: usize) -> Self {
        Self {
            shadow: m.real("shadow", Role::Scratch, batch, neurons),
            q: m.real("q", Role::Scratch, batch, neurons),
            scalars: m.real("bicg_scalars", Role::Scratch, batch, 2),
        }
    }
}

/// u̇ from the right-hand side in `c`, which is overwritten. `operator` writes the image `H y` of its first buffer to the free columns of
/// its second; `left` applies U⁻¹ in place. Uses `u_dot`, `y_vec`, `p`, `res`, `z` and [`BicgLayout`].
pub(super) fn solve(
    b: &Build,
    plan: &mut Plan,
    operator: impl Fn(&mut Plan, Buf, Buf),
    left: impl Fn(&mut Plan, Buf),
) {
    let l = b.lay;
    let image = |plan: &mut Plan, y: Buf, out: Buf| {
        b.forward_sweep(plan, y);
        operator(plan, y, out);
        left(plan, out);
    };
    left(plan, l.c);
    start(b, plan, Stage::Guess);
    image(plan, l.u_dot, l.z);
    start(b, plan, Stage::Residual);
    let mut body = Plan::default();
    image(&mut body, l.y_vec, l.bicg.q);
    step(b, &mut body, Half::First);
    image(&mut body, l.y_vec, l.z);
    step(b, &mut body, Half::Second);
    let at_most = equilibrium::inner(b, b.set.max_iterations);
    plan.ops.push(Op::Loop(Loop { body: body.ops, at_most, until: l.solver }));
}

fn start(b: &Build, plan: &mut Plan, stage: Stage) {
    let l = b.lay;
    plan.push(bicg_start::Args {
        stage,
        c: l.c,
        u_dot: l.u_dot,
        z: l.z,
        res: l.res,
        shadow: l.bicg.shadow,
        p: l.p,
        y: l.y_vec,
        scalars: l.bicg.scalars,
        solver: l.solver,
        cols: b.net.free(),
        tolerance: b.set.tolerance,
    });
}

fn step(b: &Build, plan: &mut Plan, half: Half) {
    let l = b.lay;
    plan.push(bicg_step::Args {
        half,
        u_dot: l.u_dot,
        q: l.bicg.q,
        z: l.z,
        res: l.res,
        shadow: l.bicg.shadow,
        p: l.p,
        y: l.y_vec,
        scalars: l.bicg.scalars,
        solver: l.solver,
        cols: b.net.free(),
    });
}
