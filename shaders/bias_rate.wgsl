// b_dot = clip(eta_b factor * mean over the active trajectories of delta) (model, section 3); 0 where the rate is 0.
//
// delta: [batch, n] row-major; factor, b_dot: [n], columns start .. start + len. eta_b / number of active trajectories is rate_of(rate).
// One invocation a neuron sums the batch in ascending order: neighbours read neighbouring columns, and the order is fixed.

struct Params {
    delta: u32,
    factor: u32,
    b_dot: u32,
    batch: u32,
    n: u32,
    start: u32,
    len: u32,
    rate: u32,
    clipped: u32,
    clip: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let column = params.start + id.x;
    var sum = 0.0;
    let rate = rate_of(params.rate);
    if (rate != 0.0) {
        for (var b = 0u; b < params.batch; b = b + 1u) {
            sum = sum + state[params.delta + b * params.n + column];
        }
        sum = rate * state[params.factor + column] * sum;
        // Comparisons, so that a NaN stays one.
        if (params.clipped != 0u) {
            if (sum > params.clip) {
                sum = params.clip;
            } else if (sum < -params.clip) {
                sum = -params.clip;
            }
        }
    }
    state[params.b_dot + column] = sum;
}
