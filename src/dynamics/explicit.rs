//! Explicit schemes `euler`, `richardson1`, `richardson2`: `u̇ = rhs + v − H v` with a guess v from the history of u̇.
//!
//! With `f = Jᵀδ − β(u* − u)` this is `u̇ = v + w − D Wᵀ w + g − C v`, where `w = c − J v`: one product forward and one
//! backward, no iteration. Stable only while the eigenvalues of H lie in [`super::Integrator::stable`].

use super::Build;
use crate::kernels::{Base, combine, guess, relax};
use crate::plan::Plan;

/// u̇ of the free neurons.
pub(super) fn rate_of_change(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    let (cols, outputs) = (b.net.free(), b.net.outputs());
    plan.push(guess::Args {
        u_dot: l.u_dot,
        history: l.history.clone(),
        weights: b.set.integrator.guess_weights(),
        v: l.y_vec,
        cols,
        clamped: b.net.clamped(),
    });
    // `W D u̇` of a clamped input is in c already; here only the free part of J v.
    plan.push(relax::Args { c: l.c, v: l.y_vec, w: l.z, cols });
    for k in b.free_projections() {
        b.forward(plan, k, l.weights[k], l.y_vec, Some(l.d), Base::Out, l.z);
    }
    plan.push(combine::Args {
        v: l.y_vec,
        w: l.z,
        g: l.g,
        d2: l.d2,
        apical: l.apical,
        beta: l.beta,
        u_dot: l.u_dot,
        cols,
        outputs,
    });
    for k in b.free_projections() {
        b.backward(plan, k, l.weights[k], l.z, Some(l.d), l.u_dot, -1.0);
    }
}
