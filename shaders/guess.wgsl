// v = w0 u_dot + w1 h0 + w2 h1 + w3 h2, then the history shifts: h0 <- u_dot, h1 <- h0, h2 <- h1 (explicit schemes). Clamped columns: v = u_dot.
//
// u_dot, h0, h1, h2 (count of them in use), v: [batch, n] row-major; free columns start .. start + len.
// One invocation a neuron and trajectory, over all columns.

struct Params {
    u_dot: u32,
    h0: u32,
    h1: u32,
    h2: u32,
    v: u32,
    count: u32,
    n: u32,
    start: u32,
    len: u32,
    clamped_start: u32,
    clamped_len: u32,
    w0: f32,
    w1: f32,
    w2: f32,
    w3: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.n) { return; }
    let i = id.y * params.n + id.x;
    let newest = state[params.u_dot + i];
    if (id.x >= params.clamped_start && id.x < params.clamped_start + params.clamped_len) {
        state[params.v + i] = newest;
    }
    if (id.x < params.start || id.x >= params.start + params.len) { return; }
    var sum = params.w0 * newest;
    var newer = newest;
    if (params.count > 0u) {
        let old = state[params.h0 + i];
        sum = sum + params.w1 * old;
        state[params.h0 + i] = newer;
        newer = old;
    }
    if (params.count > 1u) {
        let old = state[params.h1 + i];
        sum = sum + params.w2 * old;
        state[params.h1 + i] = newer;
        newer = old;
    }
    if (params.count > 2u) {
        let old = state[params.h2 + i];
        sum = sum + params.w3 * old;
        state[params.h2 + i] = newer;
    }
    state[params.v + i] = sum;
}
