// Basal input from a clamped input population with resident weights: out = base + (1 - s) v_old + s v_new, s = the ramp of the step before.
//
// v_old = W r_old, v_new = W r_new, out: [batch, n] row-major, columns start .. start + len. One invocation a neuron and trajectory.

struct Params {
    v_old: u32,
    v_new: u32,
    base: u32,
    out: u32,
    n: u32,
    start: u32,
    len: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let i = id.y * params.n + params.start + id.x;
    let s = control.ramp_prev;
    var v = (1.0 - s) * state[params.v_old + i] + s * state[params.v_new + i];
    if (params.base != NONE) { v = state[params.base + i] + v; }
    state[params.out + i] = v;
}
