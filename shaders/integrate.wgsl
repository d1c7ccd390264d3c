// u <- u + dt u_dot for free neurons, u_in <- x for clamped ones (step order, item 7); inactive trajectories hold u and get u_dot = 0.
//
// u, u_dot: [batch, n] row-major, free columns start .. start + len; x: [batch, n_in] or absent; active: [batch]; status: [3, batch].
// One invocation a neuron and trajectory, over all columns. Clamped inputs are set, not stepped: see `kernels::integrate`.

struct Params {
    u: u32,
    u_dot: u32,
    x: u32,
    active_mask: u32,
    batch: u32,
    n: u32,
    n_in: u32,
    start: u32,
    len: u32,
    dt: f32,
    limit: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.n) { return; }
    let i = id.y * params.n + id.x;
    if (state[params.active_mask + id.y] == 0.0) {
        state[params.u_dot + i] = 0.0;
        return;
    }
    if (id.x >= params.start && id.x < params.start + params.len) {
        let u = state[params.u + i] + params.dt * state[params.u_dot + i];
        state[params.u + i] = u;
        if (!is_finite(u)) {
            note(STATE, params.batch, id.y, id.x, params.n);
        } else if (abs(u) > params.limit) {
            note(LIMIT, params.batch, id.y, id.x, params.n);
        }
    }
    if (params.x != NONE && id.x < params.n_in) {
        state[params.u + i] = state[params.x + id.y * params.n_in + id.x];
    }
}
