//! Which networks step as a whole, and what of them such a step needs.

use super::{Build, Dynamics, Integrator, PROBE_LIMIT, Settings, Solver};
use crate::network::Network;
use crate::plan::small::{Block, LIMIT, Small};

/// Whether time steps of this network run as a whole: integrator `exact` with the solver left to the program, on a graph with cycles. Where
/// H is probed by a Cholesky factorisation in every step, the plain plan has the dense solution at hand.
pub(super) fn applies(network: &Network, settings: &Settings, solver: Option<Solver>) -> bool {
    let motion = settings.dynamics == Dynamics::Nla && settings.integrator == Integrator::Exact;
    let free = network.free().len;
    let probed = !network.activation.is_piecewise_linear() && free <= PROBE_LIMIT;
    motion
        && settings.solver == Solver::Auto
        && solver == Some(Solver::Cg)
        && !network.is_feedforward()
        && free == network.neurons()
        && free <= LIMIT
        && !probed
        && !settings.hard_targets
}

/// The step, where it applies.
pub(super) fn step(b: &Build) -> Option<Small> {
    let l = b.lay;
    applies(b.net, b.set, b.solver).then(|| {
        let block = |k: usize| {
            let (pre, post) = b.ends(k);
            let w_dot = l.weight_rates[k].filter(|_| b.set.weights_in_dynamics());
            let p = &b.net.projections[k];
            let factor = if l.weight_rates[k].is_some() { p.factor } else { 0.0 };
            let (hollow, clip) = (p.is_hollow(), p.clip);
            Block { w: l.weights[k], w_dot, factor, hollow, clip, pre, post }
        };
        Small {
            blocks: b.net.forward_order().into_iter().map(block).collect(),
            inverse: l.inverse,
            age: l.age,
            apical: l.apical,
            in_factors: b.set.derivative_clip.is_none(),
            tolerance: b.set.tolerance,
            at_most: b.set.max_iterations,
        }
    })
}
