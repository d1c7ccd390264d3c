// Interneurons: p = W^IP r + b^I + [x]_in, g = (1 - beta) p + beta B^IP u, voltage, mismatch u - p (step order, item 3).
//
// p (in: W^IP r), g (in: beta B^IP u), u, out, u_dot (absent: instantaneous), mismatch: [batch, m] row-major; b: [m]; x: [batch, n_in] or
// absent; active: [batch]; u and out may be the same buffer. One invocation an interneuron and trajectory.

struct Params {
    p: u32,
    g: u32,
    u: u32,
    out: u32,
    u_dot: u32,
    mismatch: u32,
    b: u32,
    x: u32,
    active_mask: u32,
    m: u32,
    n_in: u32,
    beta: f32,
    dt: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.m) { return; }
    let i = id.y * params.m + id.x;
    let is_active = state[params.active_mask + id.y] != 0.0;
    var p = state[params.p + i] + state[params.b + id.x];
    if (params.x != NONE && id.x < params.n_in) {
        p = p + state[params.x + id.y * params.n_in + id.x];
    }
    var g = p;
    // Without nudging g is p to the last bit.
    if (params.beta != 0.0) { g = state[params.g + i] + (1.0 - params.beta) * p; }
    var u = g;
    if (params.u_dot != NONE) {
        u = state[params.u + i];
        if (is_active) { u = u + params.dt * state[params.u_dot + i]; }
    }
    state[params.p + i] = p;
    state[params.g + i] = g;
    state[params.out + i] = u;
    state[params.mismatch + i] = select(0.0, u - p, is_active);
}
