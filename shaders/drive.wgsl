// c = -delta/tau + b_dot + [x_dot]_in; g = beta (u* - u)/tau + beta u*_dot on the outputs, 0 elsewhere (model, section 2).
//
// delta, u, c, g: [batch, n] row-major, columns start .. start + len; b_dot: [n] or absent; x_dot: [batch, n_in] or absent; held = u_dot of
// a clamped input, the first held_len columns, or absent;
// y = u*, y_dot: [batch, n_out]; beta: [rows, n_out]. One invocation a neuron and trajectory.

struct Params {
    delta: u32,
    b_dot: u32,
    x_dot: u32,
    held: u32,
    held_len: u32,
    u: u32,
    y: u32,
    y_dot: u32,
    beta: u32,
    c: u32,
    g: u32,
    n: u32,
    n_in: u32,
    n_out: u32,
    start: u32,
    len: u32,
    out_start: u32,
    inv_tau: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let column = params.start + id.x;
    let i = id.y * params.n + column;
    var c = -state[params.delta + i] * params.inv_tau;
    if (params.b_dot != NONE) {
        c = c + state[params.b_dot + column];
    }
    if (params.x_dot != NONE && column < params.n_in) {
        c = c + state[params.x_dot + id.y * params.n_in + column];
    }
    if (params.held != NONE && column < params.held_len) {
        c = c - state[params.held + i];
    }
    state[params.c + i] = c;
    var g = 0.0;
    if (column >= params.out_start && column < params.out_start + params.n_out) {
        let o = column - params.out_start;
        let k = id.y * params.n_out + o;
        let beta = state[params.beta + control.beta_row * params.n_out + o];
        if (is_finite(beta)) { g = beta * ((state[params.y + k] - state[params.u + i]) * params.inv_tau + state[params.y_dot + k]); }
    }
    state[params.g + i] = g;
}
