// Input and target of one trajectory in a step: as in stimulus.wgsl (ramp, sequence) and slice.wgsl (recording).
//
// samples, targets: x_seq and u*_seq, or the values of a recording and the cursors of the trajectories; nothing in a ramp.

// Kinds of stimuli.
const RAMP: u32 = 0u;
const SEQUENCE: u32 = 1u;

// An element of a recording.
fn held(row: u32, column: u32) -> f32 {
    let i = min(row, params.rows - 1u) * (params.n_in + params.n_out) + column;
    if (params.single != 0u) { return bitcast<f32>(samples[i]); }
    let high = samples[i / 2u] << (16u * (1u - i % 2u));
    return f32(bitcast<i32>(high) >> 16u);
}

// A channel of a recording.
fn channel(trajectory: u32, column: u32, now: Control) -> f32 {
    let row = targets[trajectory] + now.row;
    var d = held(row, column);
    if (now.ramp > 0.0) { d = d + (held(row + 1u, column) - d) * now.ramp; }
    // Gain and offset of the channels are where the old and new samples of a ramp are.
    return d * state[params.x_old + column] + state[params.x_new + column];
}

fn between(before: u32, after: u32, now: Control) -> f32 {
    return state[before] + (state[after] - state[before]) * now.ramp;
}

// x and its derivative of input k.
fn take_input(trajectory: u32, k: u32, now: Control, has_sample: bool) {
    let i = trajectory * params.n_in + k;
    var rate = 0.0;
    if (has_sample) {
        var next = 0.0;
        if (params.stimulus == RAMP) {
            next = between(params.x_old + i, params.x_new + i, now);
        } else if (params.stimulus == SEQUENCE) {
            next = bitcast<f32>(samples[now.row * params.batch * params.n_in + i]);
        } else {
            next = channel(trajectory, k, now);
        }
        rate = (next - state[params.x + i]) * params.inv_dt;
        state[params.x + i] = next;
        if (!is_finite(next)) { note_at(now.index, INPUT, params.batch, trajectory, k, params.n); }
    }
    state[params.x_dot + i] = rate;
}

// u* and its derivative of output o. A target that is not finite is named as neuron N + output.
fn take_target(trajectory: u32, o: u32, now: Control, has_sample: bool) {
    let i = trajectory * params.n_out + o;
    if (!has_sample) {
        state[params.y_dot + i] = 0.0;
        return;
    }
    var next = 0.0;
    if (params.stimulus == RAMP) {
        next = between(params.y_old + i, params.y_new + i, now);
    } else if (params.stimulus == SEQUENCE) {
        next = bitcast<f32>(targets[now.row * params.batch * params.n_out + i]);
    } else {
        next = channel(trajectory, params.n_in + o, now);
    }
    state[params.y_dot + i] = (next - state[params.y + i]) * params.inv_dt;
    state[params.y + i] = next;
    if (!is_finite(next)) { note_at(now.index, INPUT, params.batch, trajectory, params.n + o, params.n); }
}
