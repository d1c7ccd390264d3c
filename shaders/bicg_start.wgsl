// Start of a BiCGStab solve of A v = c, with the unknown u_dot = L^-1 v.
//
// guess = 1: u_dot <- c and |c|^2 as the scale of the stopping rule. guess = 0: res = shadow = p = y = c - z, z = A c; threshold
// tol2 |c|^2; scalars = (|res|^2, 0).
// c, u_dot, z, res, shadow, p, y: [batch, n] row-major, columns start .. start + len; scalars: [batch, 2]; solver: [batch, 9].
// One workgroup a trajectory; lanes stride over the columns, then sum in a tree.

struct Params {
    guess: u32,
    c: u32,
    u_dot: u32,
    z: u32,
    res: u32,
    shadow: u32,
    p: u32,
    y: u32,
    scalars: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
    tol2: f32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * params.n + params.start;
    let is_guess = params.guess != 0u;
    var sum = 0.0;
    for (var k = lane; k < params.len; k = k + LANES) {
        let i = row + k;
        var v = state[params.c + i];
        if (is_guess) {
            state[params.u_dot + i] = v;
        } else {
            v = v - state[params.z + i];
            state[params.res + i] = v;
            state[params.shadow + i] = v;
            state[params.p + i] = v;
            state[params.y + i] = v;
        }
        sum = sum + v * v;
    }
    let norm2 = total(lane, sum);
    if (lane == 0u) {
        let book = params.solver + group.x * SOLVER_LEN;
        if (is_guess) {
            state[book + RESIDUAL2] = 0.0;
            state[book + THRESHOLD2] = norm2;
            state[book + ITERATIONS] = 0.0;
            state[book + BENT] = 0.0;
        } else {
            state[book + RESIDUAL2] = norm2;
            state[book + THRESHOLD2] = params.tol2 * state[book + THRESHOLD2];
            state[params.scalars + 2u * group.x] = norm2;
            state[params.scalars + 2u * group.x + 1u] = 0.0;
        }
    }
}
