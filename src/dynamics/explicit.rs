//! Explicit schemes `euler`, `richardson1`, `richardson2`: `u̇ = rhs + v − H v` with a guess v from the history of u̇.
//!
//! With `f = Jᵀδ − β(u* − u)` this is `u̇ = v + w − D Wᵀ w + g − C v`, where `w = c − J v`: one product forward and one
//! backward, no iteration. Stable only while the eigenvalues of H lie in [`super::Integrator::stable`].

use super::{Build, basal};
use crate::kernels::{Base, combine, copy, guess as guess_kernel, relax};
use crate::plan::{Cols, Plan};

/// `v ← w₁ u̇₁ + … + w₄ u̇₄` from the history of u̇, which moves on.
pub(super) fn extrapolate(b: &Build, plan: &mut Plan, weights: [f64; 4]) {
    let l = b.lay;
    plan.push(guess_kernel::Args {
        u_dot: l.u_dot,
        history: l.history.clone(),
        weights,
        v: l.y_vec,
        cols: b.net.free(),
        clamped: b.net.clamped(),
    });
}

/// The guess v, with the known u̇ of clamped inputs and of outputs with β = ∞.
pub(super) fn guess(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    extrapolate(b, plan, b.set.integrator.guess_weights());
    basal::prescribe(b, plan);
    b.pin(plan, l.y_vec, 0.0, Some((1.0, l.u_dot)));
}

/// u̇ of the free neurons.
pub(super) fn rate_of_change(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    let (cols, outputs) = (b.net.free(), b.net.outputs());
    guess(b, plan);
    // `W D u̇` of a clamped input is in c already, and `−u̇` on its own rows; here only the free part of J v.
    plan.push(relax::Args { c: l.c, v: l.y_vec, w: l.z, cols });
    if b.reaches_input() {
        let Cols { start, len } = b.net.clamped();
        plan.push(copy::Args { src: Some((l.c, start)), dst: (l.z, start), len, rows: l.batch });
    }
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
