//! The end of a time step: voltages, weights and biases move.

use crate::dynamics::Build;
use crate::kernels::{integrate, pin, update as update_kernel};
use crate::plan::{Cols, Plan};

/// Item 7: voltages, weights and biases move.
pub(in crate::dynamics) fn integrate(b: &Build, plan: &mut Plan, resident: bool) {
    move_voltages(b, plan, resident);
    if b.features.learning {
        update(b, plan, resident, b.set.dt_ms);
    }
}

/// Voltages move along u̇; prescribed ones take their values.
pub(in crate::dynamics) fn move_voltages(b: &Build, plan: &mut Plan, resident: bool) {
    let l = b.lay;
    plan.push(integrate::Args {
        u: l.u,
        u_dot: l.u_dot,
        clamp: (b.net.input.is_clamped() && !resident).then_some(l.x),
        active: l.active,
        cols: b.net.free(),
        dt_ms: b.set.dt_ms,
        u_limit: b.set.u_limit,
        status: l.status,
    });
    take_targets(b, plan);
}

/// Outputs with β = ∞ take their targets.
pub(in crate::dynamics) fn take_targets(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    if b.set.hard_targets {
        let (beta, outputs) = (l.beta, b.net.outputs());
        plan.push(pin::Args { beta, dst: l.u, src: Some((l.y, 0)), keep: 0.0, scale: 1.0, outputs });
    }
}

/// u̇ = (u* − u)/dt of outputs with β = ∞, which then take exactly their target.
pub(in crate::dynamics) fn prescribe(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    if b.set.hard_targets {
        let (outputs, inv_dt) = (b.net.outputs(), 1.0 / b.set.dt_ms);
        let beta = l.beta;
        plan.push(pin::Args { beta, dst: l.u_dot, src: Some((l.y, 0)), keep: 0.0, scale: inv_dt, outputs });
        b.pin(plan, l.u_dot, 1.0, Some((-inv_dt, l.u)));
    }
}

/// Weights and biases move along their derivatives for `dt_ms`, then the clips.
pub(in crate::dynamics) fn update(b: &Build, plan: &mut Plan, resident: bool, dt_ms: f64) {
    weight_updates(b, plan, resident, dt_ms);
    bias_updates(b, plan, dt_ms);
}

/// The weights alone.
pub(in crate::dynamics) fn weight_updates(b: &Build, plan: &mut Plan, resident: bool, dt_ms: f64) {
    let l = b.lay;
    for (k, p) in b.net.projections.iter().enumerate() {
        if resident && b.is_clamped(k) {
            continue;
        }
        if l.weight_rates[k].is_some() || p.clip.is_some() {
            let cols = Cols { start: 0, len: b.net.populations[p.pre].size };
            plan.push(update_kernel::Args {
                p: l.weights[k],
                p_dot: l.weight_rates[k],
                cols,
                dt_ms,
                clip: p.clip,
            });
        }
    }
}

/// The biases alone: one update for each run of populations with the same clip.
pub(in crate::dynamics) fn bias_updates(b: &Build, plan: &mut Plan, dt_ms: f64) {
    let mut runs: Vec<(Cols, Option<f64>)> = Vec::new();
    for (i, p) in b.net.populations.iter().enumerate() {
        let cols = b.net.cols(i);
        match runs.last_mut() {
            Some((run, clip)) if *clip == p.bias_clip => run.len += cols.len,
            _ => runs.push((cols, p.bias_clip)),
        }
    }
    for (cols, clip) in runs {
        plan.push(update_kernel::Args { p: b.lay.biases, p_dot: Some(b.lay.bias_rates), cols, dt_ms, clip });
    }
}
