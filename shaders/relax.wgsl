// w = c - v on the free columns; with + W D v from the products, w = s - delta/tau - J v (explicit schemes).
//
// c, v, w: [batch, n] row-major, columns start .. start + len. One invocation a neuron and trajectory.

struct Params {
    c: u32,
    v: u32,
    w: u32,
    n: u32,
    start: u32,
    len: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let i = id.y * params.n + params.start + id.x;
    state[params.w + i] = state[params.c + i] - state[params.v + i];
}
