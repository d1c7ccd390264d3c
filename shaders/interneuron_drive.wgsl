// m = (g - u) / tau + (1 - beta) ([x_dot]_in + b_dot): what moves interneurons beside the voltages (step order, item 6).
//
// m, g, u: [batch, count] row-major; b_dot: [count] or absent; x_dot: [batch, n_in] or absent; keep = 1 - beta.
// One invocation an interneuron and trajectory.

struct Params {
    m: u32,
    g: u32,
    u: u32,
    b_dot: u32,
    x_dot: u32,
    count: u32,
    n_in: u32,
    keep: f32,
    inv_tau: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.count) { return; }
    let i = id.y * params.count + id.x;
    var moved = 0.0;
    if (params.b_dot != NONE) { moved = state[params.b_dot + id.x]; }
    if (params.x_dot != NONE && id.x < params.n_in) {
        moved = moved + state[params.x_dot + id.y * params.n_in + id.x];
    }
    state[params.m + i] = (state[params.g + i] - state[params.u + i]) * params.inv_tau + params.keep * moved;
}
