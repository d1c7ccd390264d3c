// a = W r + b + [x]_in, delta = u - a; delta = 0 where the trajectory has no sample (step order, item 2).
//
// u, a (in: W r), delta: [batch, n] row-major, columns start .. start + len; b: [n]; x: [batch, n_in] or absent; active: [batch].
// One invocation a neuron and trajectory.

struct Params {
    u: u32,
    b: u32,
    x: u32,
    active_mask: u32,
    a: u32,
    delta: u32,
    n: u32,
    n_in: u32,
    start: u32,
    len: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let column = params.start + id.x;
    let i = id.y * params.n + column;
    var a = state[params.a + i] + state[params.b + column];
    if (params.x != NONE && column < params.n_in) {
        a = a + state[params.x + id.y * params.n_in + column];
    }
    state[params.a + i] = a;
    var delta = 0.0;
    if (state[params.active_mask + id.y] != 0.0) {
        delta = state[params.u + i] - a;
    }
    state[params.delta + i] = delta;
}
