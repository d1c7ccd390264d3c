// f = delta - rho' (W^T delta) - beta (u* - u) on the free columns (model, section 1); 0 at outputs with beta = infinity.
//
// delta, d = rho', apical = W^T delta, u, f: [batch, n] row-major, columns start .. start + len; y = u*: [batch, n_out];
// beta: [rows, n_out]. One invocation a neuron and trajectory.

struct Params {
    delta: u32,
    d: u32,
    apical: u32,
    u: u32,
    y: u32,
    beta: u32,
    f: u32,
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
    var f = state[params.delta + i] - state[params.d + i] * state[params.apical + i];
    if (column >= params.out_start && column < params.out_start + params.n_out) {
        let o = column - params.out_start;
        let beta = state[params.beta + control.beta_row * params.n_out + o];
        if (is_finite(beta)) {
            f = f - beta * (state[params.y + id.y * params.n_out + o] - state[params.u + i]);
        } else {
            f = 0.0;
        }
    }
    state[params.f + i] = f;
}
