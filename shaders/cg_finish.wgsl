// Books the iterations of a step: sum and maximum of the counts, largest relative residual, trajectories that did not converge.
//
// solver: [batch, 9]; active: [batch]. One invocation a trajectory.

struct Params {
    solver: u32,
    active_mask: u32,
    batch: u32,
    tolerance: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.batch) { return; }
    if (state[params.active_mask + id.x] == 0.0) { return; }
    let book = params.solver + id.x * SOLVER_LEN;
    let count = state[book + ITERATIONS];
    state[book + INDEFINITE] = state[book + INDEFINITE] + state[book + BENT];
    state[book + TOTAL] = state[book + TOTAL] + count;
    if (count > state[book + MOST]) {
        state[book + MOST] = count;
    }
    let norm2 = state[book + RESIDUAL2];
    let threshold2 = state[book + THRESHOLD2];
    if (!is_finite(norm2) || !is_finite(threshold2) || norm2 > threshold2) {
        state[book + UNCONVERGED] = state[book + UNCONVERGED] + 1.0;
    }
    if (norm2 > 0.0 && threshold2 > 0.0) {
        let relative = sqrt(norm2 / threshold2) * params.tolerance;
        if (relative > state[book + RESIDUAL]) {
            state[book + RESIDUAL] = relative;
        }
    }
}
