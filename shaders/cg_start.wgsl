// First residual and direction of the conjugate gradients, from the start v = c.
//
// Full space: res = p = y = -z with z = J^-T C J^-1 c; threshold tol2 |c|^2 (|c|^2 was left by `assemble`).
// Output space: res = p = sqrt(beta) u_dot_out, z = sqrt(beta) p on the outputs and 0 elsewhere; threshold tol2 |res|^2.
// u_dot, z, y, p, res: [batch, n] row-major, columns start .. start + len; beta: [rows, n_out]; solver: [batch, 9].
// One workgroup a trajectory; lanes stride over the columns, then sum in a tree.

struct Params {
    output_space: u32,
    u_dot: u32,
    z: u32,
    y: u32,
    p: u32,
    res: u32,
    beta: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
    tol2: f32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * params.n;
    var sum = 0.0;
    for (var k = lane; k < params.len; k = k + LANES) {
        let column = params.start + k;
        let i = row + column;
        if (params.output_space == 0u) {
            let res = -state[params.z + i];
            state[params.res + i] = res;
            state[params.p + i] = res;
            state[params.y + i] = res;
            sum = sum + res * res;
        } else if (column >= params.out_start) {
            let beta = state[params.beta + control.beta_row * params.n_out + column - params.out_start];
            let root = sqrt(beta);
            let res = root * state[params.u_dot + i];
            state[params.res + i] = res;
            state[params.p + i] = res;
            state[params.z + i] = root * res;
            sum = sum + res * res;
        } else {
            state[params.z + i] = 0.0;
        }
    }
    let norm2 = total(lane, sum);
    if (lane == 0u) {
        let book = params.solver + group.x * SOLVER_LEN;
        let scale2 = select(norm2, state[book + THRESHOLD2], params.output_space == 0u);
        state[book + THRESHOLD2] = params.tol2 * scale2;
        state[book + RESIDUAL2] = norm2;
    }
}
