//! Integrator `exact`: solves `H u̇ = rhs` by sweeps over the layers.
//!
//! On a feedforward graph `J = 1 − W D` is unit block-lower-triangular, so that `J⁻¹` is one forward sweep and `J⁻ᵀ` one backward
//! sweep. With `u̇ = J⁻¹ v` the system becomes `(1 + J⁻ᵀ C J⁻¹) v = c`, `C = diag β − diag(ρ''·(Wᵀδ))`,
//! `c = s − δ/τ + J⁻ᵀ g`: the identity plus something small. Iterations start from `v = c`; the first sweep and each
//! direction's sweep *are* the updates of u̇, so that k iterations cost k + 1 pairs of sweeps in all.

use super::{Build, Solver};
use crate::kernels::{
    assemble, cg_finish, cg_start, cg_start::Space, cg_step, curvature, dense_solve, jacobian, unit, woodbury,
};
use crate::plan::{Loop, Op, Plan};

/// u̇ of the free neurons.
pub(super) fn rate_of_change(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    b.backward_sweep(plan, l.g);
    plan.push(assemble::Args { c: l.c, z: l.g, u_dot: l.u_dot, solver: l.solver, cols: b.net.free() });
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
    plan.push(cg_finish::Args { solver: l.solver, active: l.active, tolerance: b.set.tolerance });
}

fn curve(b: &Build, plan: &mut Plan, y: crate::plan::Buf) {
    let l = b.lay;
    plan.push(curvature::Args {
        y,
        d2: l.d2,
        apical: l.apical,
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
    plan.ops.push(Op::Loop(Loop { body: body.ops, at_most, until: l.solver }));
}

/// Conjugate gradients over the free neurons.
fn cg(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    b.forward_sweep(plan, l.u_dot);
    curve(b, plan, l.u_dot);
    b.backward_sweep(plan, l.z);
    start(b, plan, Space::Full);
    let mut body = Plan::default();
    b.forward_sweep(&mut body, l.y_vec);
    curve(b, &mut body, l.y_vec);
    b.backward_sweep(&mut body, l.z);
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
    let cols = b.net.free();
    plan.push(jacobian::Args { w: None, d: l.d, jac: l.jac, pre: cols, post: cols, cols });
    for k in b.free_projections() {
        let (pre, post) = b.ends(k);
        plan.push(jacobian::Args { w: Some(l.weights[k]), d: l.d, jac: l.jac, pre, post, cols });
    }
    plan.push(dense_solve::Args {
        fallback,
        jac: l.jac,
        h: l.h,
        c: l.c,
        d2: l.d2,
        apical: l.apical,
        beta: l.beta,
        u_dot: l.u_dot,
        solver: l.solver,
        cols,
        outputs: b.net.outputs(),
    });
}
