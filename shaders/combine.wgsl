// u_dot = v + w + g - C v, C = diag(beta) - diag(rho'' (W^T delta)): the explicit schemes up to the product that follows.
//
// v, w, g, d2 = rho'' (or absent), apical = W^T delta, u_dot: [batch, n] row-major, columns start .. start + len;
// beta: [rows, n_out]. One invocation a neuron and trajectory.

struct Params {
    v: u32,
    w: u32,
    g: u32,
    d2: u32,
    apical: u32,
    beta: u32,
    u_dot: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let column = params.start + id.x;
    let i = id.y * params.n + column;
    let v = state[params.v + i];
    var bent = 0.0;
    if (params.d2 != NONE) {
        bent = state[params.d2 + i] * state[params.apical + i];
    }
    var sum = v + state[params.w + i] + state[params.g + i] + bent * v;
    if (column >= params.out_start && column < params.out_start + params.n_out) {
        let beta = state[params.beta + control.beta_row * params.n_out + column - params.out_start];
        if (is_finite(beta)) { sum = sum - beta * v; }
    }
    state[params.u_dot + i] = sum;
}
