// x and u* of the present step, their backward differences, and u_dot = (x - u)/dt of clamped inputs (step order, item 1).
//
// Ramp: x = x_old + (x_new - x_old) s with x_old, x_new: [batch, n_in]; sequence: row control.row of x_seq: [steps, batch * n_in]; the same for
// y = u* with n_out. x, x_dot: [batch, n_in]; y, y_dot: [batch, n_out]; u, u_dot: [batch, n], or u absent where inputs are driven;
// active: [batch]; status: [3, batch]. One invocation an input or output of a trajectory: inputs first, then outputs.

struct Params {
    sequence: u32,
    x_old: u32,
    x_new: u32,
    y_old: u32,
    y_new: u32,
    active_mask: u32,
    x: u32,
    x_dot: u32,
    y: u32,
    y_dot: u32,
    u: u32,
    u_dot: u32,
    batch: u32,
    n: u32,
    n_in: u32,
    n_out: u32,
    inv_dt: f32,
}

@group(0) @binding(4) var<storage, read> x_seq: array<f32>;
@group(0) @binding(5) var<storage, read> y_seq: array<f32>;

fn between(before: u32, after: u32) -> f32 {
    return state[before] + (state[after] - state[before]) * control.ramp;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.n_in + params.n_out) { return; }
    let has_sample = state[params.active_mask + id.y] != 0.0;
    if (id.x >= params.n_in) {
        let o = id.x - params.n_in;
        let i = id.y * params.n_out + o;
        if (!has_sample) {
            state[params.y_dot + i] = 0.0;
            return;
        }
        var next = 0.0;
        if (params.sequence != 0u) {
            next = y_seq[control.row * params.batch * params.n_out + i];
        } else {
            next = between(params.y_old + i, params.y_new + i);
        }
        state[params.y_dot + i] = (next - state[params.y + i]) * params.inv_dt;
        state[params.y + i] = next;
        // A target that is not finite is named as neuron N + output.
        if (!is_finite(next)) { note(INPUT, params.batch, id.y, params.n + o, params.n); }
        return;
    }
    let i = id.y * params.n_in + id.x;
    var x = state[params.x + i];
    var rate = 0.0;
    if (has_sample) {
        var next = 0.0;
        if (params.sequence != 0u) {
            next = x_seq[control.row * params.batch * params.n_in + i];
        } else {
            next = between(params.x_old + i, params.x_new + i);
        }
        rate = (next - x) * params.inv_dt;
        x = next;
        state[params.x + i] = x;
        if (!is_finite(x)) { note(INPUT, params.batch, id.y, id.x, params.n); }
    }
    state[params.x_dot + i] = rate;
    if (params.u != NONE) {
        let k = id.y * params.n + id.x;
        state[params.u_dot + k] = (x - state[params.u + k]) * params.inv_dt;
    }
}
