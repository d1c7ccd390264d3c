// P <- clip(P + dt P_dot) for weights or biases (step order, item 7).
//
// weights: p, p_dot: [rows, width] in buffers of their own; biases: the same two in `state`, at params.p and params.p_dot (in_state = 1).
// Columns start .. start + len; has_rate = 0: only the clip. One invocation an element.

struct Params {
    in_state: u32,
    has_rate: u32,
    clipped: u32,
    p: u32,
    p_dot: u32,
    width: u32,
    start: u32,
    len: u32,
    dt: f32,
    clip: f32,
}

@group(0) @binding(3) var<storage, read_write> own: array<f32>;
@group(0) @binding(4) var<storage, read> own_rate: array<f32>;

// Comparisons, so that a NaN stays one.
fn moved(value: f32, rate: f32) -> f32 {
    var v = value;
    if (params.has_rate != 0u) {
        v = v + params.dt * rate;
    }
    if (params.clipped != 0u) {
        if (v > params.clip) {
            v = params.clip;
        } else if (v < -params.clip) {
            v = -params.clip;
        }
    }
    return v;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let i = id.y * params.width + params.start + id.x;
    var rate = 0.0;
    if (params.in_state != 0u) {
        if (params.has_rate != 0u) { rate = state[params.p_dot + i]; }
        state[params.p + i] = moved(state[params.p + i], rate);
    } else {
        if (params.has_rate != 0u) { rate = own_rate[i]; }
        own[i] = moved(own[i], rate);
    }
}
