//! Plans beside the time step: what tells whether to trust a run, the steady state, the start of a run.

use super::{Build, basal};
use crate::kernels::{Base, copy, mismatch, observe as observe_kernel};
use crate::plan::{Buf, Plan};

/// One row of metrics a trajectory from the present δ, a and Wᵀδ.
fn record(b: &Build, plan: &mut Plan, record: Buf, sums: bool) {
    let l = b.lay;
    plan.push(observe_kernel::Args {
        u: l.u,
        d: l.d,
        a: l.a,
        delta: l.delta,
        apical: l.apical,
        y: l.y,
        beta: l.beta,
        record,
        cols: b.net.free(),
        outputs: b.net.outputs(),
        steepest: b.net.activation.steepest(),
        sums,
    });
}

/// Metrics inside a step, before the voltages move; over windows of a recording, their sums.
pub(super) fn entry(b: &Build, plan: &mut Plan) {
    if b.features.entry_norms {
        let sums = b.features.sums();
        record(b, plan, if sums { b.lay.record } else { b.lay.entry_record }, sums);
    }
}

/// Metrics of the state after a step, with the input and target of that step.
pub(super) fn observe(b: &Build) -> Plan {
    let mut plan = Plan::default();
    basal::rates(b, &mut plan, false);
    basal::mismatch(b, &mut plan, false);
    if !super::microcircuit::error_after(b, &mut plan) {
        basal::apical(b, &mut plan);
    }
    // Sums stay as the steps left them.
    let to = if b.features.sums() { b.lay.entry_record } else { b.lay.record };
    record(b, &mut plan, to, false);
    plan
}

/// u of every population from those that project into it: the steady state at β = 0, where u = a; where no order of the populations gives
/// it, one sweep from the rates that are there. With a target `[batch, n_out]`,
/// `δ = target − a` at the outputs of active trajectories; elsewhere δ is arbitrary.
pub(super) fn settle(b: &Build, plan: &mut Plan, x: Buf, target: Option<Buf>) {
    let l = b.lay;
    let order = b.net.forward_order();
    let in_order = || (0..b.net.populations.len()).collect();
    for p in b.net.settling_order().unwrap_or_else(in_order) {
        let cols = b.net.cols(p);
        let clamped = p == 0 && b.net.input.is_clamped();
        if clamped {
            plan.push(copy::Args { src: Some((x, 0)), dst: (l.u, 0), len: cols.len, rows: l.batch });
        } else {
            let into: Vec<usize> =
                order.iter().copied().filter(|&k| b.net.projections[k].post == p).collect();
            if into.is_empty() {
                plan.push(copy::Args { src: None, dst: (l.a, cols.start), len: cols.len, rows: l.batch });
            }
            for (i, &k) in into.iter().enumerate() {
                let base = if i == 0 { Base::Zero } else { Base::Out };
                b.forward(plan, k, l.weights[k], l.r, None, base, l.a);
            }
            if let Some(target) = target.filter(|_| cols == b.net.outputs()) {
                let (src, dst) = (Some((target, 0)), (l.u, cols.start));
                plan.push(copy::Args { src, dst, len: cols.len, rows: l.batch });
            }
            plan.push(mismatch::Args {
                u: l.u,
                b: l.biases,
                x: (p == 0 && b.drives_input()).then_some(x),
                active: l.active,
                a: l.a,
                delta: l.delta,
                cols,
            });
            let (src, dst) = (Some((l.a, cols.start)), (l.u, cols.start));
            plan.push(copy::Args { src, dst, len: cols.len, rows: l.batch });
        }
        basal::rates_of(b, plan, cols);
    }
}

/// Steady state at β = 0 of the samples just taken, with its metrics against their targets.
pub(super) fn predict(b: &Build) -> Plan {
    let mut plan = Plan::default();
    if !b.features.stimulus.is_static() || b.net.settling_order().is_none() {
        return plan;
    }
    let l = b.lay;
    settle(b, &mut plan, l.x_new, None);
    let whole = |src: Buf, dst: Buf, len: usize| copy::Args {
        src: Some((src, 0)),
        dst: (dst, 0),
        len,
        rows: l.batch,
    };
    plan.push(whole(l.y_new, l.y, b.net.n_out()));
    plan.push(whole(l.x_new, l.x, b.net.n_in()));
    super::microcircuit::settle(b, &mut plan);
    plan.ops.extend(observe(b).ops);
    plan
}

/// Start of a run (model, section 7): u is the equilibrium for x = 0, u* its own output, so f = 0. Where one sweep does not find it, this is
/// where `evaluate::rest` starts from.
pub(super) fn start(b: &Build) -> Plan {
    let mut plan = Plan::default();
    let l = b.lay;
    let zero = |dst: Buf, len: usize| copy::Args { src: None, dst: (dst, 0), len, rows: l.batch };
    let (n, n_in, n_out) = (b.net.neurons(), b.net.n_in(), b.net.n_out());
    plan.push(zero(l.x, n_in));
    plan.push(zero(l.u_dot, n));
    for &h in &l.history {
        plan.push(zero(h, n));
    }
    if b.net.settling_order().is_none() {
        // The rates that the sweep starts from.
        plan.push(zero(l.u, n));
        basal::rates(b, &mut plan, false);
    }
    settle(b, &mut plan, l.x, None);
    super::microcircuit::settle(b, &mut plan);
    let src = Some((l.u, b.net.outputs().start));
    plan.push(copy::Args { src, dst: (l.y, 0), len: n_out, rows: l.batch });
    if b.features.stimulus.is_static() {
        plan.push(zero(l.x_new, n_in));
        plan.push(copy::Args { src, dst: (l.y_new, 0), len: n_out, rows: l.batch });
    }
    plan
}
