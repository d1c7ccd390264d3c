//! Which networks step as a whole with resident weights, and what of them such a step needs.

use super::{Build, Dynamics, Integrator, LearningProducts, Solver};
use crate::plan::layered::{LIMIT, Layer, Layered};

/// Whether the free populations are a chain behind a clamped input, so that each product of a step has one population on either side.
fn is_chain(b: &Build) -> bool {
    let projections = &b.net.projections;
    let chained = |k: usize| projections.iter().any(|p| (p.pre, p.post) == (k, k + 1));
    let last = b.net.populations.len() - 1;
    projections.len() == last && (0..last).all(chained) && b.net.populations.iter().all(|p| p.size > 0)
}

/// The step, where it applies.
pub(super) fn step(b: &Build) -> Option<Layered> {
    let (l, set) = (b.lay, b.set);
    let applies = l.resident
        && l.batch <= LIMIT
        && set.dynamics == Dynamics::Nla
        && set.integrator == Integrator::Exact
        && b.solver == Some(Solver::OutputCg)
        && b.net.activation.is_piecewise_linear()
        && !set.hard_targets
        && !b.features.entry_norms
        && is_chain(b);
    let layer = |post: usize| {
        let at = b.net.projections.iter().position(|p| p.post == post)?;
        let p = &b.net.projections[at];
        let factor = if l.weight_rates[at].is_some() || post == 1 { p.factor } else { 0.0 };
        let (cols, bias_clip) = (b.net.cols(post), b.net.populations[post].bias_clip);
        Some(Layer { cols, w: l.weights[at], factor, clip: p.clip, bias_clip })
    };
    let layers: Option<Vec<_>> = (1..b.net.populations.len()).map(layer).collect();
    layers.filter(|_| applies).map(|layers| Layered {
        layers,
        activation: b.net.activation,
        x: [l.x_old, l.x_new],
        gram: l.gram,
        v: [l.v_old, l.v_new],
        a: [l.a_old, l.a_new],
        biases: l.biases,
        bias_factors: l.bias_factors,
        u: l.u,
        u_dot: l.u_dot,
        targets: [l.y_old, l.y_new],
        y: l.y,
        y_dot: l.y_dot,
        beta: l.beta,
        active: l.active,
        solver: l.solver,
        status: l.status,
        weights_in_dynamics: set.weights_in_dynamics(),
        biases_in_dynamics: set.biases_in_dynamics(),
        tolerance: set.tolerance,
        at_most: set.max_iterations.min(b.net.n_out() + 5),
        dt_ms: set.dt_ms,
        tau_ms: set.tau_ms,
        u_limit: set.u_limit,
        short: set.learning_products == LearningProducts::Auto,
    })
}
