// out = base + sign (C y - rho' t), C = diag(beta) - diag(rho'' E): the part of H y that is no product with W.
//
// base, y, t (or absent), d = rho', d2 = rho'' (or absent), apical = E, out: [batch, n] row-major, columns start .. start + len;
// beta: [rows, n_out] or absent. One invocation a neuron and trajectory.

struct Params {
    base: u32,
    y: u32,
    t: u32,
    d: u32,
    d2: u32,
    apical: u32,
    beta: u32,
    out: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
    sign: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let column = params.start + id.x;
    let i = id.y * params.n + column;
    let y = state[params.y + i];
    var sum = 0.0;
    if (params.d2 != NONE) { sum = state[params.d2 + i] * state[params.apical + i] * y; }
    if (params.t != NONE) { sum = sum + state[params.d + i] * state[params.t + i]; }
    var v = state[params.base + i] - params.sign * sum;
    if (params.beta != NONE && column >= params.out_start && column < params.out_start + params.n_out) {
        v = v + params.sign * state[params.beta + control.beta_row * params.n_out + column - params.out_start] * y;
    }
    state[params.out + i] = v;
}
