//! Integrator `exact`: solves `H u̇ = rhs` by sweeps over the layers.
//!
//! `J = L − W_b D`, with L the projections that run forward and W_b all others. L is unit block-lower-triangular, so that `L⁻¹` is one
//! forward sweep and `L⁻ᵀ` one backward sweep; on feedforward graphs L = J. With `u̇ = L⁻¹ v` the system becomes
//! `A v = L⁻ᵀ rhs`, `A = (J L⁻¹)ᵀ J L⁻¹ + L⁻ᵀ C L⁻¹`, `C = diag β − diag(ρ''·(Wᵀδ))`, `L⁻ᵀ rhs = c + L⁻ᵀ(g − D W_bᵀ c)`, `c = s − δ/τ`: the
//! identity plus something small. Iterations start from v = that (on graphs with cycles from the u̇ of the steps before); the first sweep and
//! each direction's sweep *are* the updates of u̇, so that k iterations cost k + 1 pairs of sweeps in all, and as many pairs of products
//! with W_b.
//!
//! Rows of the system are all neurons with a mismatch, columns the free ones: a clamped input that something projects into has rows only.
//! So have outputs with β = ∞, whose u̇ is known: they enter the backward sweep with `−c`, and vectors are 0 there.

use super::{Build, Solver, basal, equilibrium, explicit};
use crate::kernels::{
    Base, assemble, bend, blend, cg_finish, cg_start, cg_start::Space, cg_step, copy, curvature, dense_solve,
    forward, jacobian, unit, woodbury,
};
use crate::plan::{Buf, Cols, Loop, Op, Plan};

/// u̇ of the free neurons.
pub(super) fn rate_of_change(b: &Build, plan: &mut Plan) {
    known_outputs(b, plan);
    solve(b, plan);
    finish(b, plan);
}

/// Books the iterations of a step.
pub(super) fn finish(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    plan.push(cg_finish::Args { solver: l.solver, active: l.active, tolerance: b.set.tolerance });
}

/// u̇ of outputs with β = ∞, and what it adds to c: `W D u̇` where they project, `−u̇` on their own rows.
pub(super) fn known_outputs(b: &Build, plan: &mut Plan) {
    if !b.set.hard_targets {
        return;
    }
    let l = b.lay;
    basal::prescribe(b, plan);
    b.zero(plan, l.held, b.net.outputs());
    b.pin(plan, l.held, 0.0, Some((1.0, l.u_dot)));
    for k in b.back_projections().into_iter().filter(|&k| b.ends(k).0 == b.net.outputs()) {
        b.forward(plan, k, l.weights[k], l.held, Some(l.d), Base::Out, l.c);
    }
    b.pin(plan, l.c, 1.0, Some((-1.0, l.u_dot)));
}

/// Solves `H u̇ = Jᵀ c + g` for the free u̇. What only its start needs is used up: c, g, ρ'' and `Wᵀδ` (see [`super::layout`]).
pub(super) fn solve(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    if let Some(d2) = l.d2 {
        plan.push(bend::Args { d2, apical: l.apical, cols: b.net.free() });
    }
    if l.probes || b.solver == Some(Solver::Dense) {
        plan.push(blend::Args::new(l.rhs, b.net.free(), &[(1.0, l.g), (1.0, l.c)]));
        for k in b.free_projections() {
            b.backward(plan, k, l.weights[k], l.c, Some(l.d), l.rhs, -1.0);
        }
    }
    for k in b.back_projections() {
        b.backward(plan, k, l.weights[k], l.c, Some(l.d), l.g, -1.0);
    }
    b.pin(plan, l.g, 0.0, Some((-1.0, l.c)));
    b.pin(plan, l.c, 0.0, None);
    b.backward_sweep(plan, l.g);
    b.pin(plan, l.g, 0.0, None);
    if l.warm {
        explicit::extrapolate(b, plan, [2.0, -1.0, 0.0, 0.0]);
        let Cols { start, len } = b.net.free();
        let (src, dst) = (Some((l.y_vec, start)), (l.u_dot, start));
        plan.push(copy::Args { src, dst, len, rows: l.batch });
    }
    plan.push(assemble::Args {
        c: l.c,
        z: l.g,
        u_dot: l.u_dot,
        solver: l.solver,
        cols: b.net.free(),
        warm: l.warm,
    });
    match b.solver {
        Some(Solver::OutputCg) => output_cg(b, plan),
        Some(Solver::Woodbury) => by_woodbury(b, plan),
        Some(Solver::Dense) => dense(b, plan, false),
        _ => {
            cg(b, plan);
            if l.probes {
                dense(b, plan, true);
            }
        }
    }
}

/// `z ← A v − c` for the v with `u̇ = L⁻¹ v`.
fn warm_residual(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    b.pin(plan, l.u_dot, 0.0, None);
    slope(b, plan, l.u_dot, l.u_dot, &b.free_projections());
    curve(b, plan, l.u_dot);
    back(b, plan);
    plan.push(blend::Args::new(l.z, b.net.free(), &[(1.0, l.z), (1.0, l.t), (-1.0, l.c)]));
}

/// `t ← v − W D y` along some projections, on all rows; v has none of a clamped input.
fn slope(b: &Build, plan: &mut Plan, y: Buf, v: Buf, along: &[usize]) {
    let l = b.lay;
    if b.reaches_input() {
        b.zero(plan, l.t, b.net.clamped());
    }
    plan.push(blend::Args::new(l.t, b.net.free(), &[(1.0, v)]));
    for &k in along {
        let (pre, post) = b.ends(k);
        let (w, gate) = (l.weights[k], Some(l.d));
        plan.push(forward::Args { w, x: y, gate, base: Base::Out, out: l.t, pre, post, scale: -1.0 });
    }
}

/// `z ← L⁻ᵀ (z − D W_bᵀ t)` from t = J y; the rows of outputs with β = ∞ enter the sweep, and are no columns.
fn back(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    for k in b.back_projections() {
        b.backward(plan, k, l.weights[k], l.t, Some(l.d), l.z, -1.0);
    }
    b.pin(plan, l.z, 0.0, Some((-1.0, l.t)));
    b.pin(plan, l.t, 0.0, None);
    b.backward_sweep(plan, l.z);
    b.pin(plan, l.z, 0.0, None);
}

/// `z ← A v − v`, where y = L⁻¹ v after the forward sweep done here; y is v at entry.
fn operator(b: &Build, plan: &mut Plan, y: Buf, v: Buf) {
    let l = b.lay;
    let free = b.net.free();
    let back_projections = b.back_projections();
    b.forward_sweep(plan, y);
    b.pin(plan, l.held, 0.0, Some((1.0, y)));
    b.pin(plan, y, 0.0, None);
    curve(b, plan, y);
    if back_projections.is_empty() {
        b.pin(plan, l.z, 0.0, Some((1.0, l.held)));
        b.backward_sweep(plan, l.z);
        b.pin(plan, l.z, 0.0, None);
        return;
    }
    // t = J y: what runs forward is in v already.
    slope(b, plan, y, v, &back_projections);
    b.pin(plan, l.t, 1.0, Some((-1.0, l.held)));
    back(b, plan);
    plan.push(blend::Args::new(l.z, free, &[(1.0, l.z), (1.0, l.t), (-1.0, v)]));
}

fn curve(b: &Build, plan: &mut Plan, y: crate::plan::Buf) {
    let l = b.lay;
    plan.push(curvature::Args {
        y,
        bend: l.d2,
        beta: l.beta,
        z: l.z,
        cols: b.net.free(),
        outputs: b.net.outputs(),
    });
}

fn start(b: &Build, plan: &mut Plan, space: Space) {
    let l = b.lay;
    plan.push(cg_start::Args {
        space,
        u_dot: l.u_dot,
        z: l.z,
        y: l.y_vec,
        p: l.p,
        res: l.res,
        beta: l.beta,
        solver: l.solver,
        cols: b.net.free(),
        outputs: b.net.outputs(),
        tolerance: b.set.tolerance,
    });
}

fn iterate(b: &Build, plan: &mut Plan, space: Space, mut body: Plan, at_most: usize) {
    let l = b.lay;
    body.push(cg_step::Args {
        space,
        u_dot: l.u_dot,
        z: l.z,
        y: l.y_vec,
        p: l.p,
        res: l.res,
        beta: l.beta,
        solver: l.solver,
        cols: b.net.free(),
        outputs: b.net.outputs(),
    });
    let at_most = equilibrium::inner(b, at_most);
    plan.ops.push(Op::Loop(Loop { body: body.ops, at_most, until: l.solver }));
}

/// Conjugate gradients over the free neurons.
fn cg(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    if l.warm {
        warm_residual(b, plan);
    } else {
        operator(b, plan, l.u_dot, l.c);
    }
    start(b, plan, Space::Full);
    let mut body = Plan::default();
    operator(b, &mut body, l.y_vec, l.p);
    iterate(b, plan, Space::Full, body, b.set.max_iterations);
}

/// Conjugate gradients over the outputs: for ρ'' = 0 the operator is the identity plus rank n_out.
fn output_cg(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    b.forward_sweep(plan, l.u_dot);
    start(b, plan, Space::Output);
    let mut body = Plan::default();
    b.backward_sweep(&mut body, l.z);
    b.forward_sweep(&mut body, l.z);
    // Exact after n_out iterations but for rounding.
    let at_most = b.set.max_iterations.min(b.net.n_out() + 5);
    iterate(b, plan, Space::Output, body, at_most);
}

/// The rank-n_out part inverted exactly.
fn by_woodbury(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    let (cols, outputs) = (b.net.free(), b.net.outputs());
    for (output, &m) in l.rows.iter().enumerate() {
        plan.push(unit::Args { m, beta: l.beta, output, cols, outputs });
        b.backward_sweep(plan, m);
    }
    plan.push(woodbury::Args { first: l.rows[0], k: l.small, u_dot: l.u_dot, cols, outputs });
    b.forward_sweep(plan, l.u_dot);
}

/// Dense factorisation; as `fallback` only where H is indefinite.
fn dense(b: &Build, plan: &mut Plan, fallback: bool) {
    let l = b.lay;
    let (cols, rows) = (b.net.free(), b.net.rows());
    plan.push(jacobian::Args { w: None, d: l.d, jac: l.jac, pre: cols, post: rows, cols, rows });
    for k in b.free_projections() {
        let (pre, post) = b.ends(k);
        plan.push(jacobian::Args { w: Some(l.weights[k]), d: l.d, jac: l.jac, pre, post, cols, rows });
    }
    plan.push(dense_solve::Args {
        fallback,
        jac: l.jac,
        h: l.h,
        rhs: l.rhs,
        bend: l.d2,
        beta: l.beta,
        u_dot: l.u_dot,
        solver: l.solver,
        cols,
        rows: rows.len,
        triangular: b.net.is_feedforward(),
        outputs: b.net.outputs(),
    });
}
