// u <- best + scale direction, with direction <- u_dot where a new one was asked for; best, where the iteration has ended.
//
// u_dot, direction, best, u: [batch, n] row-major, columns start .. start + len; newton, solver: [batch, 9].
// One workgroup a trajectory.

struct Params {
    u_dot: u32,
    direction: u32,
    best: u32,
    u: u32,
    newton: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.newton + group.x * SOLVER_LEN;
    let fresh = state[row + NEWTON_ACCEPTED] != 0.0;
    let is_open = state[row + NEWTON_RESIDUAL] > state[row + NEWTON_TOLERANCE];
    let scale = state[row + NEWTON_SCALE];
    for (var k = lane; k < params.len; k = k + LANES) {
        let i = group.x * params.n + params.start + k;
        if (fresh) { state[params.direction + i] = state[params.u_dot + i]; }
        var u = state[params.best + i];
        if (is_open) { u = u + scale * state[params.direction + i]; }
        state[params.u + i] = u;
    }
    if (lane == 0u && fresh) {
        let book = params.solver + group.x * SOLVER_LEN;
        let count = state[book + ITERATIONS];
        state[book + TOTAL] = state[book + TOTAL] + count;
        if (count > state[book + MOST]) { state[book + MOST] = count; }
    }
}
