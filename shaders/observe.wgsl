// f = delta - rho' (W^T delta) - beta (u* - u); L = 1/2 |delta|^2 + 1/2 sum beta (u* - u)^2; cost 1/2 |u* - a_o|^2 and class of the basal
// prediction a_o; largest |u|; number of hidden neurons with rho' below 5 % of its maximum (model, sections 1 and 7).
//
// u, d = rho', a, delta, apical = W^T delta: [batch, n] row-major, free columns start .. start + len, outputs last; y = u*: [batch, n_out];
// beta: [rows, n_out]; record: [batch, 8]. One workgroup a trajectory; lanes stride over the columns, then sum in trees.

struct Params {
    u: u32,
    d: u32,
    a: u32,
    delta: u32,
    apical: u32,
    y: u32,
    beta: u32,
    record: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
    flat_below: f32,
    sums: u32,
}

const RECORD_LEN: u32 = 8u;

var<workgroup> lane_classes: array<u32, LANES>;

// First index of the largest value over the workgroup; NONE = a lane without a value.
fn first_largest(lane: u32, v: f32, index: u32) -> u32 {
    lane_values[lane] = v;
    lane_classes[lane] = index;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half = half / 2u) {
        if (lane < half && lane_classes[lane + half] != NONE) {
            let mine = lane_values[lane];
            let other = lane_values[lane + half];
            let earlier = other == mine && lane_classes[lane + half] < lane_classes[lane];
            if (lane_classes[lane] == NONE || other > mine || earlier) {
                lane_values[lane] = other;
                lane_classes[lane] = lane_classes[lane + half];
            }
        }
        workgroupBarrier();
    }
    let best = lane_classes[0];
    workgroupBarrier();
    return best;
}

// Of a sum, what earlier steps added to it.
fn before(i: u32) -> f32 {
    if (params.sums != 0u && control.index > 0u) { return state[i]; }
    return 0.0;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * params.n;
    var cost = 0.0;
    var nudge = 0.0;
    var mismatch2 = 0.0;
    var f2 = 0.0;
    var most = 0.0;
    var saturated = 0.0;
    var best = 0.0;
    var class_index = NONE;
    for (var k = lane; k < params.len; k = k + LANES) {
        let column = params.start + k;
        let i = row + column;
        let u = state[params.u + i];
        let d = state[params.d + i];
        let delta = state[params.delta + i];
        var f = delta - d * state[params.apical + i];
        if (column >= params.out_start) {
            let o = column - params.out_start;
            let target_u = state[params.y + group.x * params.n_out + o];
            let beta = state[params.beta + control.beta_row * params.n_out + o];
            let a = state[params.a + i];
            let gap = target_u - u;
            // A prescribed output is not free: it has no f.
            if (is_finite(beta)) { f = f - beta * gap; } else { f = 0.0; }
            cost = cost + (target_u - a) * (target_u - a);
            if (is_finite(beta)) { nudge = nudge + beta * gap * gap; }
            if (class_index == NONE || a > best) {
                best = a;
                class_index = o;
            }
        } else if (d < params.flat_below) {
            saturated = saturated + 1.0;
        }
        f2 = f2 + f * f;
        mismatch2 = mismatch2 + delta * delta;
        if (abs(u) > most) { most = abs(u); }
    }
    cost = total(lane, cost);
    nudge = total(lane, nudge);
    mismatch2 = total(lane, mismatch2);
    f2 = total(lane, f2);
    saturated = total(lane, saturated);
    most = largest(lane, most);
    class_index = first_largest(lane, best, class_index);
    if (lane == 0u) {
        let record = params.record + group.x * RECORD_LEN;
        state[record + 0u] = before(record + 0u) + 0.5 * cost;
        state[record + 1u] = f32(class_index);
        state[record + 2u] = before(record + 2u) + 0.5 * (mismatch2 + nudge);
        state[record + 3u] = before(record + 3u) + sqrt(f2);
        state[record + 4u] = max(before(record + 4u), most);
        state[record + 5u] = before(record + 5u) + saturated;
    }
}
