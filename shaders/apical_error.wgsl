// feedback <- u - feedback (u - B u) and the apical error E, both 0 where the trajectory has no sample.
//
// u, feedback (in: B u), apical = E: [batch, n] row-major; active: [batch]. One invocation a neuron and trajectory.

struct Params {
    u: u32,
    feedback: u32,
    apical: u32,
    active_mask: u32,
    n: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.n) { return; }
    let i = id.y * params.n + id.x;
    var v = 0.0;
    if (state[params.active_mask + id.y] != 0.0) {
        v = state[params.u + i] - state[params.feedback + i];
    } else {
        state[params.apical + i] = 0.0;
    }
    state[params.feedback + i] = v;
}
