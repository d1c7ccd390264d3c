// r = rho(u), d = rho'(u), d2 = rho''(u) (model, sections 1 and 6; step order, item 2).
//
// u, r, d, d2 (or absent): [batch, n] row-major, columns start .. start + len; columns below `identity` have rho = identity.
// One invocation a neuron and trajectory; a workgroup covers 64 columns of one row.

struct Params {
    u: u32,
    r: u32,
    d: u32,
    d2: u32,
    n: u32,
    start: u32,
    len: u32,
    identity: u32,
    activation: u32,
    shape_a: f32,
    shape_d: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let column = params.start + id.x;
    let i = id.y * params.n + column;
    let u = state[params.u + i];
    var rate = Rate(u, 1.0, 0.0);
    if (column >= params.identity) {
        rate = activation(params.activation, u, params.shape_a, params.shape_d);
    }
    state[params.r + i] = rate.r;
    state[params.d + i] = rate.d;
    if (params.d2 != NONE) {
        state[params.d2 + i] = rate.d2;
    }
}
