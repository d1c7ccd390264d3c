// Opens (closing = 0) and closes the books of the Newton iteration of integrator `equilibrium`.
//
// newton, solver: [batch, 9]; active: [batch]. One invocation a trajectory.

struct Params {
    closing: u32,
    newton: u32,
    solver: u32,
    active_mask: u32,
    batch: u32,
    tolerance: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.batch) { return; }
    let is_active = state[params.active_mask + id.x] != 0.0;
    let row = params.newton + id.x * SOLVER_LEN;
    if (params.closing == 0u) {
        state[row + NEWTON_RESIDUAL] = select(0.0, INFINITE, is_active);
        state[row + NEWTON_TOLERANCE] = params.tolerance;
        state[row + NEWTON_EVALUATIONS] = 0.0;
        state[row + NEWTON_SCALE] = 1.0;
        state[row + NEWTON_STEPS] = 0.0;
        state[row + NEWTON_ACCEPTED] = 0.0;
        return;
    }
    if (!is_active) { return; }
    let book = params.solver + id.x * SOLVER_LEN;
    let residual = state[row + NEWTON_RESIDUAL];
    if (!is_finite(residual) || residual > params.tolerance) {
        state[book + UNCONVERGED] = state[book + UNCONVERGED] + 1.0;
    }
    if (residual > state[book + RESIDUAL]) {
        state[book + RESIDUAL] = residual;
    }
    if (state[row + NEWTON_EVALUATIONS] > state[book + MOST]) {
        state[book + MOST] = state[row + NEWTON_EVALUATIONS];
    }
}
