// d2 <- rho'' (W^T delta), in place of rho'': what the bend of rho takes from H (model, section 2).
//
// d2, apical = W^T delta: [batch, n] row-major, columns start .. start + len. One invocation a neuron and trajectory.

struct Params {
    d2: u32,
    apical: u32,
    n: u32,
    start: u32,
    len: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let i = id.y * params.n + params.start + id.x;
    state[params.d2 + i] = state[params.d2 + i] * state[params.apical + i];
}
