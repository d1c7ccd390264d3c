// out <- k0 x0 + k1 x1 + k2 x2 on a range of columns; an absent buffer counts as zeros.
//
// x0, x1, x2, out: [batch, n] row-major, columns start .. start + len. One invocation an element, so that `out` may be one of the others.

struct Params {
    x0: u32,
    x1: u32,
    x2: u32,
    out: u32,
    n: u32,
    start: u32,
    len: u32,
    k0: f32,
    k1: f32,
    k2: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let i = id.y * params.n + params.start + id.x;
    var sum = 0.0;
    if (params.x0 != NONE) { sum = params.k0 * state[params.x0 + i]; }
    if (params.x1 != NONE) { sum = sum + params.k1 * state[params.x1 + i]; }
    if (params.x2 != NONE) { sum = sum + params.k2 * state[params.x2 + i]; }
    state[params.out + i] = sum;
}
