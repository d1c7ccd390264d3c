// x and u* of the present step from a recording, their backward differences, and u_dot = (x - u)/dt of clamped inputs (step order, item 1).
//
// d = d_row + (d_next - d_row) s, s = control.ramp, rows from the cursor of the trajectory on; x or u* = gain d + offset. At the start of a
// window its first row, with derivatives 0.
// series: values [rows, n_in + n_out], 16-bit integers (two to a word, the lower first) or single precision; cursor: [batch];
// gain, offset: [n_in + n_out]; x, x_dot: [batch, n_in]; y, y_dot: [batch, n_out]; u, u_dot: [batch, n], or u absent where inputs are driven;
// active: [batch]; status: [3, batch]. One invocation an input or output of a trajectory: inputs first, then outputs.

struct Params {
    gain: u32,
    offset: u32,
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
    rows: u32,
    single: u32,
    start: u32,
    inv_dt: f32,
}

@group(0) @binding(4) var<storage, read> series: array<u32>;
@group(0) @binding(5) var<storage, read> cursor: array<u32>;

fn held(row: u32, column: u32) -> f32 {
    let i = min(row, params.rows - 1u) * (params.n_in + params.n_out) + column;
    if (params.single != 0u) { return bitcast<f32>(series[i]); }
    let high = series[i / 2u] << (16u * (1u - i % 2u));
    return f32(bitcast<i32>(high) >> 16u);
}

fn value(trajectory: u32, column: u32) -> f32 {
    let first = cursor[trajectory];
    var d = 0.0;
    if (params.start != 0u) {
        d = held(first, column);
    } else {
        d = held(first + control.row, column);
        if (control.ramp > 0.0) { d = d + (held(first + control.row + 1u, column) - d) * control.ramp; }
    }
    return d * state[params.gain + column] + state[params.offset + column];
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
        let next = value(id.y, id.x);
        var rate = 0.0;
        if (params.start == 0u) { rate = (next - state[params.y + i]) * params.inv_dt; }
        state[params.y_dot + i] = rate;
        state[params.y + i] = next;
        // A target that is not finite is named as neuron N + output.
        if (!is_finite(next)) { note(INPUT, params.batch, id.y, params.n + o, params.n); }
        return;
    }
    let i = id.y * params.n_in + id.x;
    var x = state[params.x + i];
    var rate = 0.0;
    if (has_sample) {
        let next = value(id.y, id.x);
        if (params.start == 0u) { rate = (next - x) * params.inv_dt; }
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
