// A product with W_dot = kappa delta^T r, or with its transpose, that does not form it: out += kappa scale gate (O y), O the overlaps of x.
//
// x, y, gate (or absent), out: [batch, n] row-major, columns start .. start + len; overlaps: [batch, batch] row-major. kappa is
// control.rate_w times the factor of the projection. hollow = 1: without self-connections the own term of each neuron leaves the overlaps.
// One invocation a neuron and trajectory, trajectories in ascending order: a column of y is read by neighbouring invocations together.

struct Params {
    x: u32,
    y: u32,
    overlaps: u32,
    gate: u32,
    out: u32,
    batch: u32,
    n: u32,
    start: u32,
    len: u32,
    hollow: u32,
    factor: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let rate = control.rate_w * params.factor;
    if (id.x >= params.len || rate == 0.0) { return; }
    let column = params.start + id.x;
    let i = id.y * params.n + column;
    var own = 0.0;
    if (params.hollow != 0u) { own = state[params.x + i]; }
    var sum = 0.0;
    for (var k = 0u; k < params.batch; k = k + 1u) {
        let at = k * params.n + column;
        var overlap = state[params.overlaps + id.y * params.batch + k];
        if (params.hollow != 0u) { overlap = overlap - own * state[params.x + at]; }
        sum = sum + overlap * state[params.y + at];
    }
    var v = rate * sum;
    if (params.gate != NONE) { v = v * state[params.gate + i]; }
    state[params.out + i] = state[params.out + i] + v;
}
