//! Integrator `equilibrium`: Newton on `f(u_{n+1}; new x, u*, stepped W, b) = e^{−dt/τ} f(u_n; old x, u*, W, b)` (model, section 2).
//!
//! It follows the exact solution `f(t) = f(0) e^{−t/τ}` of `(1 + τ d/dt) f = 0` for any dt where ρ is smooth. A Newton step solves
//! `H Δ = −F` with the sweeps of `exact`; iterates start at `u_n + dt·u̇` with the u̇ of the step before. Where ρ has kinks there may be
//! several roots, or none: the iterate of smallest residual is kept, and that is counted.

use super::microcircuit::Circuit;
use super::{Build, Integrator, basal, exact, flow, observe};
use crate::kernels::{Base, blend, copy, newton_book, newton_book::Stage, newton_check, newton_move};
use crate::plan::{Cols, Loop, Op, Plan};

/// Iterations of the linear solver for a direction: a Newton step whose system is not solved to the end still falls.
const INNER: usize = 25;

/// Upper bound of solver iterations, lower where Newton iterations repeat them.
pub(super) fn inner(b: &Build, at_most: usize) -> usize {
    if b.set.integrator == Integrator::Equilibrium { at_most.min(INNER) } else { at_most }
}

/// One time step, in the order of section 8.
pub(super) fn step(b: &Build) -> Plan {
    let mut plan = Plan::default();
    let p = &mut plan;
    let circuit = Circuit::new(b);
    aim(b, p, circuit.as_ref());
    basal::stimulus(b, p, false); // 1
    present(b, p, circuit.as_ref());
    basal::plasticity(b, p, false); // 4
    if let Some(circuit) = &circuit {
        circuit.plasticity(p);
    }
    // The derivatives that take part in the dynamics move their parameters before u̇ is known.
    updates(b, p, circuit.as_ref(), true);
    newton(b, p, circuit.as_ref()); // 5
    basal::prescribe(b, p);
    basal::move_voltages(b, p, false); // 7
    updates(b, p, circuit.as_ref(), false);
    plan
}

/// Items 2 and 3 with the new x, where that changes anything.
fn present(b: &Build, plan: &mut Plan, circuit: Option<&Circuit>) {
    let driven = b.input_has_drive();
    if driven {
        basal::mismatch(b, plan, false);
    }
    match circuit {
        Some(circuit) => circuit.present_state(plan),
        None if driven && b.features.entry_norms => basal::apical(b, plan),
        None => {}
    }
    observe::entry(b, plan);
}

/// Parameters whose derivatives take part in the dynamics, or the others, move.
fn updates(b: &Build, plan: &mut Plan, circuit: Option<&Circuit>, in_dynamics: bool) {
    if !b.features.learning {
        return;
    }
    if b.set.weights_in_dynamics() == in_dynamics {
        basal::weight_updates(b, plan, false, b.set.dt_ms);
        if let Some(circuit) = circuit {
            circuit.weight_updates(plan);
        }
    }
    if b.set.biases_in_dynamics() == in_dynamics {
        basal::bias_updates(b, plan, b.set.dt_ms);
        if let Some(circuit) = circuit {
            circuit.bias_updates(plan);
        }
    }
}

/// `e^{−dt/τ} f` of the old state with the old x and u*; leaves r̄ and δ of the old state.
fn aim(b: &Build, plan: &mut Plan, circuit: Option<&Circuit>) {
    let l = b.lay;
    basal::rates(b, plan, false); // 2
    basal::mismatch(b, plan, false);
    match circuit {
        Some(circuit) => circuit.old_state(plan), // 3
        None => basal::apical(b, plan),
    }
    flow::force(b, plan, l.aim);
    plan.push(blend::Args::new(l.aim, b.net.free(), &[(b.decay(), l.aim)]));
}

/// The root, as u̇ = (u_{n+1} − u_n)/dt.
fn newton(b: &Build, plan: &mut Plan, circuit: Option<&Circuit>) {
    let l = b.lay;
    let (free, dt) = (b.net.free(), b.set.dt_ms);
    plan.push(blend::Args::new(l.u_start, free, &[(1.0, l.u)]));
    plan.push(blend::Args::new(l.u, free, &[(1.0, l.u), (dt, l.u_dot)]));
    known_voltages(b, plan);
    let book = |stage| newton_book::Args {
        stage,
        newton: l.newton,
        solver: l.solver,
        active: l.active,
        tolerance: b.set.newton_tolerance,
    };
    plan.push(blend::Args::new(l.best, free, &[(1.0, l.u)]));
    plan.push(blend::Args::new(l.direction, free, &[]));
    plan.push(book(Stage::Open));
    let mut body = Plan::default();
    iterate(b, &mut body, circuit);
    plan.ops.push(Op::Loop(Loop { body: body.ops, at_most: b.set.newton_iterations, until: l.newton }));
    plan.push(book(Stage::Close));
    if let Some(circuit) = circuit {
        plan.push(blend::Args::new(l.u, free, &[(1.0, l.best)]));
        basal::rates_of(b, plan, free);
        circuit.interneuron_steps(plan);
    }
    plan.push(blend::Args::new(l.u_dot, free, &[(1.0 / dt, l.best), (-1.0 / dt, l.u_start)]));
    plan.push(blend::Args::new(l.u, free, &[(1.0, l.u_start)]));
}

/// Clamped inputs at the new x, with what they drive; outputs with β = ∞ at their targets.
fn known_voltages(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    let Cols { start, len } = b.net.clamped();
    basal::take_targets(b, plan);
    if len == 0 {
        return;
    }
    plan.push(copy::Args { src: Some((l.x, 0)), dst: (l.u, start), len, rows: l.batch });
    basal::rates_of(b, plan, b.net.clamped());
    b.zero(plan, l.inflow, b.net.rows());
    for k in b.clamped_projections() {
        b.forward(plan, k, l.weights[k], l.r, None, Base::Out, l.inflow);
    }
}

/// Judges the present iterate and makes the next.
fn iterate(b: &Build, plan: &mut Plan, circuit: Option<&Circuit>) {
    let l = b.lay;
    let free = b.net.free();
    basal::rates_of(b, plan, free);
    let rows = b.net.rows();
    if b.net.clamped().len == 0 {
        b.zero(plan, l.a, rows);
    } else {
        plan.push(blend::Args::new(l.a, rows, &[(1.0, l.inflow)]));
    }
    for k in b.free_projections() {
        b.forward(plan, k, l.weights[k], l.r, None, Base::Out, l.a);
    }
    basal::difference(b, plan);
    match circuit {
        Some(circuit) => circuit.iterate(plan),
        None => basal::apical(b, plan),
    }
    flow::force(b, plan, l.f);
    let (f, target, u, best, newton) = (l.f, l.aim, l.u, l.best, l.newton);
    plan.push(newton_check::Args { f, target, u, best, g: l.g, newton, cols: free });
    match circuit {
        Some(circuit) => circuit.direction(plan),
        None => {
            b.zero(plan, l.c, rows);
            exact::solve(b, plan);
        }
    }
    let (u_dot, direction, solver) = (l.u_dot, l.direction, l.solver);
    plan.push(newton_move::Args { u_dot, direction, best, u, newton, solver, cols: free });
}
