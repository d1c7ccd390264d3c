// c <- c + g + rho' (E / tau + q): the right-hand side for separate feedback weights (model, section 8).
//
// c, g, d = rho', apical = E, q: [batch, n] row-major, columns start .. start + len. One invocation a neuron and trajectory.

struct Params {
    c: u32,
    g: u32,
    d: u32,
    apical: u32,
    q: u32,
    n: u32,
    start: u32,
    len: u32,
    inv_tau: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let i = id.y * params.n + params.start + id.x;
    let apical = state[params.apical + i] * params.inv_tau + state[params.q + i];
    state[params.c + i] = state[params.c + i] + state[params.g + i] + state[params.d + i] * apical;
}
