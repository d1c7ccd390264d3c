//! The control: backprop of the same network, as one more plan of the same kernels.
//!
//! One forward sweep gives the steady state at β = 0 of the samples just taken, `a = W r̄ + b`, `u = a`. The errors are those of
//! the least-action rule in the limit β → 0, over β (model, section 3): at the outputs `δ_o = u* − a_o`, of the cost `½‖u* − a_o‖²`;
//! below them, by one backward sweep, `δ = ρ'(u)·(Wᵀδ)`. Then `W += rate·factor·mean(δ r̄ᵀ)`, the biases likewise, and the clips.
//! Of feedforward graphs alone. Time does not enter: no dt, no τ, no bound on Ẇ.

use super::{Build, basal, observe};
use crate::kernels::{integrate, observe as observe_kernel};
use crate::plan::{Cols, Plan};

/// One update from the samples just taken, and its metrics, which are those before the update.
pub(super) fn step(b: &Build) -> Plan {
    let mut plan = Plan::default();
    if !b.features.stimulus.is_static() || !b.features.learning || !b.net.is_feedforward() {
        return plan;
    }
    let l = b.lay;
    observe::settle(b, &mut plan, l.x_new, Some(l.y_new));
    check(b, &mut plan);
    record(b, &mut plan);
    let (free, outputs) = (b.net.free(), b.net.outputs());
    b.zero(&mut plan, l.delta, Cols { start: free.start, len: outputs.start - free.start });
    b.backward_sweep(&mut plan, l.delta);
    basal::rates_of_parameters(b, &mut plan, false, None);
    // The rates are those of an update, not of a ms.
    basal::update(b, &mut plan, false, 1.0);
    plan
}

/// Notes voltages that are not finite or over the limit, as a time step does: an integration with u̇ = 0.
fn check(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    b.zero(plan, l.u_dot, Cols { start: 0, len: b.net.neurons() });
    plan.push(integrate::Args {
        u: l.u,
        u_dot: l.u_dot,
        clamp: None,
        active: l.active,
        cols: b.net.free(),
        dt_ms: 1.0,
        u_limit: b.set.u_limit,
        status: l.status,
    });
}

/// Metrics of the steady state, where u = a: so δ and `Wᵀδ` are 0, which the buffer of the latter stands for. (δ itself holds the
/// errors of the outputs by now.)
fn record(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    b.zero(plan, l.apical, b.net.free());
    plan.push(observe_kernel::Args {
        u: l.u,
        d: l.d,
        a: l.a,
        delta: l.apical,
        apical: l.apical,
        y: l.y_new,
        beta: l.beta,
        sums: false,
        record: l.record,
        cols: b.net.free(),
        outputs: b.net.outputs(),
        steepest: b.net.activation.steepest(),
    });
}
