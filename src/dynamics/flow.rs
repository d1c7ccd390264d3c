//! The other two equations of motion: `gradient-flow` and `lookahead-rate-only` (model, section 2).

use super::{Build, Integrator, Solver, basal, bicgstab, exact, explicit};
use crate::kernels::{Base, blend, copy, forward, gradient};
use crate::plan::{Buf, Plan};

/// f of the present voltages, from δ and the apical error.
pub(super) fn force(b: &Build, plan: &mut Plan, f: Buf) {
    let l = b.lay;
    plan.push(gradient::Args {
        delta: l.delta,
        d: l.d,
        apical: l.apical,
        u: l.u,
        y: l.y,
        beta: l.beta,
        f,
        cols: b.net.free(),
        outputs: b.net.outputs(),
    });
}

/// `τ u̇ = −f`: every integrator comes to the same, for u̇ stands on one side only.
pub(super) fn gradient_flow(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    force(b, plan, l.f);
    plan.push(blend::Args::new(l.u_dot, b.net.free(), &[(-1.0 / b.set.tau_ms, l.f)]));
}

/// `J u̇ = −f/τ + s`: one forward sweep on feedforward graphs.
pub(super) fn lookahead_rate_only(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    let free = b.net.free();
    force(b, plan, l.f);
    basal::drive_of(b, plan, l.f, free);
    basal::moves(b, plan, false);
    if b.set.integrator == Integrator::Exact {
        exact::known_outputs(b, plan);
        return by_sweeps(b, plan);
    }
    // u̇ = c + v − J v = c + W D v.
    explicit::guess(b, plan);
    plan.push(blend::Args::new(l.u_dot, free, &[(1.0, l.c)]));
    for k in b.free_projections() {
        if b.ends(k).1.start >= free.start {
            b.forward(plan, k, l.weights[k], l.y_vec, Some(l.d), Base::Out, l.u_dot);
        }
    }
}

/// `J u̇ = c`: one forward sweep, or on graphs with cycles an iteration that starts from it.
fn by_sweeps(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    let free = b.net.free();
    if b.solver != Some(Solver::Bicgstab) {
        let (src, dst) = (Some((l.c, free.start)), (l.u_dot, free.start));
        plan.push(copy::Args { src, dst, len: free.len, rows: l.batch });
        b.forward_sweep(plan, l.u_dot);
        return;
    }
    // Outputs with β = ∞ are no unknowns: 0 before J, and left out after it.
    b.pin(plan, l.c, 0.0, None);
    let image = |plan: &mut Plan, y: Buf, out: Buf| {
        b.pin(plan, y, 0.0, None);
        plan.push(blend::Args::new(out, free, &[(1.0, y)]));
        for k in b.free_projections() {
            let (pre, post) = b.ends(k);
            if post.start >= free.start {
                let (w, gate) = (l.weights[k], Some(l.d));
                plan.push(forward::Args { w, x: y, gate, base: Base::Out, out, pre, post, scale: -1.0 });
            }
        }
        b.pin(plan, out, 0.0, None);
    };
    bicgstab::solve(b, plan, image, |_, _| {});
    exact::finish(b, plan);
}
