// What the trajectories of a layered network have in common in a time step: W_dot and the next W of all layers but the first, b_dot and b, and
// W_dot r_old, W_dot r_new of the resident weights (model, section 3). Between two runs of `layered_step.wgsl`.
//
//   W_dot[i, j] = kappa sum_b delta[b, i] r[b, j]           W' = clip(W + dt W_dot)
//   (W_dot r_old)[b, i] = kappa sum_b' delta[b', i] ((1 - s) G_oo[b', b] + s G_on[b, b'])          s: the ramp of the step before
//   (W_dot r_new)[b, i] = kappa sum_b' delta[b', i] ((1 - s) G_on[b', b] + s G_nn[b', b])
// control.steps: which of the two W is that of this step, and (bit 1) of the next one. With mode BRING the weights of all trajectories come in
// before a run of steps, otherwise
// those of the step after go back.
// Jobs stand in the table behind the layers, a number of workgroups each: of layers from the second on; W_dot r_old; W_dot r_new; biases. An invocation
// takes 4 x 8 results, without workgroup memory: sums over the trajectories are short. Rows and columns beyond the edge repeat the last one and
// are not stored.

struct Params {
    mode: u32,
    batch: u32,
    n: u32,
    free: u32,
    layers: u32,
    b: u32,
    b_factor: u32,
    gram_oo: u32,
    gram_on: u32,
    gram_nn: u32,
    r: u32,
    delta: u32,
    old_rate: u32,
    new_rate: u32,
    b_dot: u32,
    dt: f32,
}

@group(0) @binding(3) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> matrices: array<f32>;
@group(0) @binding(5) var<storage, read_write> fields: array<f32>;
@group(0) @binding(6) var<storage, read> table: array<u32>;

const LEARN: u32 = 0u;
const BRING: u32 = 1u;

// Invocations of a workgroup: side by side, and in all.
override WIDE: u32 = 8u;
override LANES: u32 = 32u;

fn bounded(v: f32, bound: f32) -> f32 {
    if (v > bound) { return bound; }
    if (v < -bound) { return -bound; }
    return v;
}

// A product of two factors: W_dot into a layer, or W_dot times the patterns of the trajectories.
struct Job {
    // The layer; 0 of the resident weights.
    l: u32,
    // Whether it is W_dot r_new.
    second: bool,
    kappa: f32,
    rows: u32,
    columns: u32,
}

// A factor of a row of results, from trajectory k.
fn of_row(job: Job, k: u32, row: u32) -> f32 {
    if (job.l != 0u) { return fields[params.delta + k * params.free + word(job.l, FIRST) + row]; }
    let mine = row * params.batch + k;
    let other = k * params.batch + row;
    let before = 1.0 - control.ramp_prev;
    if (job.second) { return before * state[params.gram_on + other] + control.ramp_prev * state[params.gram_nn + mine]; }
    return before * state[params.gram_oo + mine] + control.ramp_prev * state[params.gram_on + mine];
}

fn store(job: Job, row: u32, column: u32, sum: f32) {
    if (row >= job.rows || column >= job.columns) { return; }
    let rate = job.kappa * sum;
    if (job.l == 0u) {
        let at = select(params.old_rate, params.new_rate, job.second);
        fields[at + row * job.columns + column] = rate;
        return;
    }
    let w = control.steps & 1u;
    let straight = row * job.columns + column;
    let across = column * job.rows + row;
    var next = matrices[matrix(job.l, w) + straight];
    if (job.kappa != 0.0) {
        next = next + params.dt * rate;
        if (word(job.l, CLIPPED) != 0u) { next = bounded(next, bitcast<f32>(word(job.l, CLIP))); }
    }
    matrices[matrix(job.l, RATE_MATRIX) + straight] = rate;
    matrices[transposed(job.l, RATE_MATRIX) + across] = rate;
    matrices[matrix(job.l, 1u - w) + straight] = next;
    matrices[transposed(job.l, 1u - w) + across] = next;
}

fn store_row(job: Job, row: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
    for (var c = 0u; c < 4u; c = c + 1u) {
        store(job, row, column + c * WIDE, low[c]);
        store(job, row, column + (c + 4u) * WIDE, high[c]);
    }
}

fn tile(job: Job, number: u32, lane: u32) {
    let across = (job.columns + 8u * WIDE - 1u) / (8u * WIDE);
    let row = (number / across) * (4u * (LANES / WIDE)) + 4u * (lane / WIDE);
    let column = (number % across) * 8u * WIDE + lane % WIDE;
    let last_row = job.rows - 1u;
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(last_row));
    let steps = vec4<u32>(0u, WIDE, 2u * WIDE, 3u * WIDE);
    let last_column = vec4<u32>(job.columns - 1u);
    let left = min(vec4<u32>(column) + steps, last_column);
    let right = min(vec4<u32>(column + 4u * WIDE) + steps, last_column);
    var at = params.delta + word(0u, FIRST);
    if (job.l != 0u) { at = params.r + word(job.l - 1u, FIRST); }
    var low0 = vec4<f32>();
    var high0 = vec4<f32>();
    var low1 = vec4<f32>();
    var high1 = vec4<f32>();
    var low2 = vec4<f32>();
    var high2 = vec4<f32>();
    var low3 = vec4<f32>();
    var high3 = vec4<f32>();
    // Without a rate there is nothing to sum.
    let depth = select(params.batch, 0u, job.kappa == 0.0);
    for (var k = 0u; k < depth; k = k + 1u) {
        let i = left + at + k * params.free;
        let j = right + at + k * params.free;
        let low = vec4<f32>(fields[i.x], fields[i.y], fields[i.z], fields[i.w]);
        let high = vec4<f32>(fields[j.x], fields[j.y], fields[j.z], fields[j.w]);
        let v0 = of_row(job, k, rows.x);
        low0 = low0 + v0 * low;
        high0 = high0 + v0 * high;
        let v1 = of_row(job, k, rows.y);
        low1 = low1 + v1 * low;
        high1 = high1 + v1 * high;
        let v2 = of_row(job, k, rows.z);
        low2 = low2 + v2 * low;
        high2 = high2 + v2 * high;
        let v3 = of_row(job, k, rows.w);
        low3 = low3 + v3 * low;
        high3 = high3 + v3 * high;
    }
    store_row(job, row, column, low0, high0);
    store_row(job, row + 1u, column, low1, high1);
    store_row(job, row + 2u, column, low2, high2);
    store_row(job, row + 3u, column, low3, high3);
}

// b_dot and b of a neuron.
fn bias(i: u32) {
    var l = 0u;
    while (l + 1u < params.layers && i >= word(l + 1u, FIRST)) { l = l + 1u; }
    let column = word(l, START) + i - word(l, FIRST);
    var sum = 0.0;
    if (control.rate_b != 0.0) {
        for (var k = 0u; k < params.batch; k = k + 1u) { sum = sum + fields[params.delta + k * params.free + i]; }
        sum = control.rate_b * state[params.b_factor + column] * sum;
    }
    fields[params.b_dot + i] = sum;
    var b = state[params.b + column] + params.dt * sum;
    if (word(l, BIAS_CLIPPED) != 0u) { b = bounded(b, bitcast<f32>(word(l, BIAS_CLIP))); }
    state[params.b + column] = b;
}

// The weights into a layer come in, or go back.
fn carry(l: u32, number: u32, lane: u32) {
    let width = word(l - 1u, LEN);
    let height = word(l, LEN);
    let i = number * LANES + lane;
    if (i >= width * height) { return; }
    if (params.mode == BRING) {
        let v = weights[word(l, WEIGHTS) + i];
        matrices[matrix(l, control.steps & 1u) + i] = v;
        matrices[transposed(l, control.steps & 1u) + (i % width) * height + i / width] = v;
    } else {
        weights[word(l, WEIGHTS) + i] = matrices[matrix(l, control.steps / 2u) + i];
    }
}

fn learn(job: u32, number: u32, lane: u32) {
    let above = params.layers - 1u;
    if (job < above) {
        let l = job + 1u;
        let kappa = control.rate_w * bitcast<f32>(word(l, FACTOR));
        tile(Job(l, false, kappa, word(l, LEN), word(l - 1u, LEN)), number, lane);
    } else if (job < above + 2u) {
        let kappa = control.rate_w * bitcast<f32>(word(0u, FACTOR));
        tile(Job(0u, job > above, kappa, params.batch, word(0u, LEN)), number, lane);
    } else if (number * LANES + lane < params.free) {
        bias(number * LANES + lane);
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // Jobs of the mode, and their workgroups.
    let is_learning = params.mode == LEARN;
    let above = params.layers - 1u;
    let jobs = params.layers * LAYER + select(above + 3u, 0u, is_learning);
    let count = select(above, above + 3u, is_learning);
    var number = group.x;
    for (var job = 0u; job < count; job = job + 1u) {
        let groups = table[jobs + job];
        if (number < groups) {
            if (is_learning) { learn(job, number, lane); } else { carry(job + 1u, number, lane); }
            return;
        }
        number = number - groups;
    }
}
