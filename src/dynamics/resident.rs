//! Resident weights: a presentation of static samples without touching the weights of a clamped input population.
//!
//! While a mini-batch ramps from the old to the new samples, its input rates stay in the span of two patterns a trajectory,
//! `r̄ = (1 − s) r_old + s r_new`. So `W r_old`, `W r_new` and the overlaps of the patterns are all that a step needs of W; what it
//! learns has rank 2·batch and enters W once, at the end. The algebra is exact; results differ from the plain plan by
//! rounding. The first step of a presentation, whose rates still are where the ramp before ended, runs plainly.

use super::{Build, Dynamics, Features, Integrator, Resident, Settings, basal};
use crate::kernels::{Base, copy, forward, gram, resident_apply, stimulus};
use crate::network::{Activation, InputMode, Network};
use crate::plan::{Buf, Cols, Plan};

/// Whether presentations run with resident weights.
pub(super) fn applies(network: &Network, settings: &Settings, features: Features, batch: usize) -> bool {
    // ρ has to be linear on the data with ρ' = 1, as the hard sigmoid is on [0, 1]. Not ReLU: ρ'(0) = 0 takes the u̇ of pixels at 0
    // out of the dynamics, while `W u̇_in` from the patterns would keep it.
    let linear = match (network.input, network.activation) {
        (InputMode::Rates, _) | (InputMode::Clamped, Activation::Linear) => true,
        (InputMode::Clamped, Activation::HardSigmoid) => features.unit_range,
        _ => false,
    };
    let from_input = || network.projections.iter().filter(|p| p.pre == 0);
    let possible = linear
        && network.microcircuit.is_none()
        && features.stimulus.is_static()
        && features.learning
        && settings.derivative_clip.is_none()
        && settings.integrator == Integrator::Exact
        && settings.dynamics == Dynamics::Nla
        && network.rows() == network.free()
        && from_input().count() > 0
        && from_input().all(|p| p.clip.is_none());
    match settings.resident {
        Resident::Never => false,
        Resident::Always => possible,
        // Counted multiply-adds of a step and trajectory: four products with W against two with the overlaps.
        Resident::Auto => possible && 2 * batch < 3 * network.n_in(),
    }
}

fn product(b: &Build, plan: &mut Plan, k: usize, x: Buf, out: Buf) {
    let (pre, post) = b.ends(k);
    let w = b.lay.weights[k];
    plan.push(forward::Args { w, x, gate: None, base: Base::Zero, out, pre, post, scale: 1.0 });
}

/// `W r_old`, `W r_new`, the overlaps; nothing is learned yet.
pub(super) fn start(b: &Build) -> Plan {
    let mut plan = Plan::default();
    let l = b.lay;
    if !l.resident {
        return plan;
    }
    for k in b.clamped_projections() {
        product(b, &mut plan, k, l.x_old, l.v_old);
        product(b, &mut plan, k, l.x_new, l.v_new);
    }
    let pairs = [(l.x_old, l.x_old), (l.x_old, l.x_new), (l.x_new, l.x_new)];
    for (out, (x, y)) in l.gram.into_iter().zip(pairs) {
        plan.push(gram::Args { x, y, out });
    }
    let len = b.net.neurons();
    for sum in [l.a_old, l.a_new] {
        plan.push(copy::Args { src: None, dst: (sum, 0), len, rows: l.batch });
    }
    plan
}

/// What was learned enters the weights; the input population takes the last value of the ramp.
pub(super) fn end(b: &Build) -> Plan {
    let mut plan = Plan::default();
    let l = b.lay;
    if !l.resident {
        return plan;
    }
    for k in b.clamped_projections().into_iter().filter(|&k| l.weight_rates[k].is_some()) {
        let (pre, post) = b.ends(k);
        plan.push(resident_apply::Args {
            w: l.weights[k],
            a_old: l.a_old,
            a_new: l.a_new,
            x_old: l.x_old,
            x_new: l.x_new,
            pre,
            post,
        });
    }
    arrive(b, &mut plan);
    plan
}

/// What probes read, from the state after a step: needs the ramp of that step as `ramp` and as `ramp_prev`. Writes scratch, and the voltages of
/// the input population, which nothing reads before [`end`] writes them again.
pub(super) fn observe(b: &Build) -> Plan {
    let mut plan = Plan::default();
    if !b.lay.resident {
        return plan;
    }
    arrive(b, &mut plan);
    basal::rates(b, &mut plan, false);
    basal::mismatch(b, &mut plan, true);
    basal::apical(b, &mut plan);
    plan
}

/// The input population takes the present value of the ramp.
fn arrive(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    plan.push(stimulus::Args {
        source: stimulus::Source::Ramp { x_old: l.x_old, x_new: l.x_new, y_old: l.y_old, y_new: l.y_new },
        input: true,
        active: l.active,
        x: l.x,
        x_dot: l.x_dot,
        y: l.y,
        y_dot: l.y_dot,
        clamp: None,
        dt_ms: b.set.dt_ms,
        status: l.status,
    });
    let Cols { start, len } = b.net.clamped();
    plan.push(copy::Args { src: Some((l.x, 0)), dst: (l.u, start), len, rows: l.batch });
}
