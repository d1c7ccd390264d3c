// c <- c + z, u_dot <- c (unless it is to start from what it was), and |c|^2 as the scale of the stopping rule: after the backward sweep, c = J^-T rhs.
//
// c, z, u_dot: [batch, n] row-major, columns start .. start + len; solver: [batch, 9].
// One workgroup a trajectory: lanes stride over the columns, then sum in a tree.

struct Params {
    c: u32,
    z: u32,
    u_dot: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
    warm: u32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * params.n + params.start;
    var sum = 0.0;
    for (var k = lane; k < params.len; k = k + LANES) {
        let i = row + k;
        let c = state[params.c + i] + state[params.z + i];
        state[params.c + i] = c;
        if (params.warm == 0u) { state[params.u_dot + i] = c; }
        sum = sum + c * c;
    }
    let norm2 = total(lane, sum);
    if (lane == 0u) {
        let book = params.solver + group.x * SOLVER_LEN;
        state[book + RESIDUAL2] = 0.0;
        state[book + THRESHOLD2] = norm2;
        state[book + ITERATIONS] = 0.0;
        state[book + BENT] = 0.0;
    }
}
