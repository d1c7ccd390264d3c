// What the trajectories of a layered network have in common in a time step: W_dot and the next W of all layers but the first, b_dot and b, and
// W_dot r_old, W_dot r_new of the resident weights (model, section 3). Between two runs of `layered_step.wgsl`.
//
//   W_dot[i, j] = kappa sum_b delta[b, i] r[b, j]           W' = clip(W + dt W_dot)
//   (W_dot r_old)[b, i] = kappa sum_b' delta[b', i] ((1 - s) G_oo[b', b] + s G_on[b, b'])          s: the ramp of the step before
//   (W_dot r_new)[b, i] = kappa sum_b' delta[b', i] ((1 - s) G_on[b', b] + s G_nn[b', b])
// control.steps: which of the two W is that of this step, and (bit 1) of the next one.
// Jobs stand in the table behind the layers, a number of workgroups each: of layers from the second on; W_dot r_old; W_dot r_new; biases. An invocation
// takes 4 x 8 results, without workgroup memory: sums over the trajectories are short. Rows and columns beyond the edge repeat the last one and
// are not stored.

struct Params {
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

@group(0) @binding(3) var<storage, read_write> matrices: array<f32>;
@group(0) @binding(4) var<storage, read_write> fields: array<f32>;
@group(0) @binding(5) var<storage, read> table: array<u32>;

// Invocations of a workgroup: side by side, and in all.
override WIDE: u32 = 8u;
override LANES: u32 = 32u;

fn bounded(v: f32, bound: f32) -> f32 {
    if (v > bound) { return bound; }
    if (v < -bound) { return -bound; }
    return v;
}

// Where the results of an invocation are: four rows, and eight columns WIDE apart.
struct Tile {
    row: u32,
    column: u32,
    rows: vec4<u32>,
    left: vec4<u32>,
    right: vec4<u32>,
}

fn tile_of(number: u32, lane: u32, rows: u32, columns: u32) -> Tile {
    let across = (columns + 8u * WIDE - 1u) / (8u * WIDE);
    let row = (number / across) * (4u * (LANES / WIDE)) + 4u * (lane / WIDE);
    let column = (number % across) * 8u * WIDE + lane % WIDE;
    let steps = vec4<u32>(0u, WIDE, 2u * WIDE, 3u * WIDE);
    let last = vec4<u32>(columns - 1u);
    return Tile(
        row,
        column,
        min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(rows - 1u)),
        min(vec4<u32>(column) + steps, last),
        min(vec4<u32>(column + 4u * WIDE) + steps, last),
    );
}

// The sums of a tile: a row each.
struct Sums {
    low0: vec4<f32>,
    high0: vec4<f32>,
    low1: vec4<f32>,
    high1: vec4<f32>,
    low2: vec4<f32>,
    high2: vec4<f32>,
    low3: vec4<f32>,
    high3: vec4<f32>,
}

fn four_fields(i: vec4<u32>) -> vec4<f32> { return vec4<f32>(fields[i.x], fields[i.y], fields[i.z], fields[i.w]); }

fn four_states(i: vec4<u32>) -> vec4<f32> { return vec4<f32>(state[i.x], state[i.y], state[i.z], state[i.w]); }

fn added(sums: Sums, v: vec4<f32>, low: vec4<f32>, high: vec4<f32>) -> Sums {
    return Sums(
        sums.low0 + v.x * low,
        sums.high0 + v.x * high,
        sums.low1 + v.y * low,
        sums.high1 + v.y * high,
        sums.low2 + v.z * low,
        sums.high2 + v.z * high,
        sums.low3 + v.w * low,
        sums.high3 + v.w * high,
    );
}

// Where W into a layer is, what it becomes, and W_dot; how it learns.
struct Move {
    old: u32,
    straight: vec2<u32>,
    across: vec2<u32>,
    rows: u32,
    columns: u32,
    kappa: f32,
    bound: f32,
    clipped: bool,
}

fn move_weight(m: Move, row: u32, column: u32, sum: f32) {
    if (row >= m.rows || column >= m.columns) { return; }
    let i = row * m.columns + column;
    let j = column * m.rows + row;
    let rate = m.kappa * sum;
    var next = matrices[m.old + i];
    if (m.kappa != 0.0) {
        next = next + params.dt * rate;
        if (m.clipped) { next = bounded(next, m.bound); }
    }
    matrices[m.straight.x + i] = next;
    matrices[m.across.x + j] = next;
    matrices[m.straight.y + i] = rate;
    matrices[m.across.y + j] = rate;
}

fn move_row(m: Move, row: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
    move_weight(m, row, column, low.x);
    move_weight(m, row, column + WIDE, low.y);
    move_weight(m, row, column + 2u * WIDE, low.z);
    move_weight(m, row, column + 3u * WIDE, low.w);
    move_weight(m, row, column + 4u * WIDE, high.x);
    move_weight(m, row, column + 5u * WIDE, high.y);
    move_weight(m, row, column + 6u * WIDE, high.z);
    move_weight(m, row, column + 7u * WIDE, high.w);
}

fn learn_weights(l: u32, number: u32, lane: u32) {
    let rows = word(l, LEN);
    let columns = word(l - 1u, LEN);
    let t = tile_of(number, lane, rows, columns);
    let kappa = control.rate_w * bitcast<f32>(word(l, FACTOR));
    let delta = params.delta + word(l, FIRST);
    let r = params.r + word(l - 1u, FIRST);
    var sums = Sums();
    // Without a rate there is nothing to sum.
    let depth = select(params.batch, 0u, kappa == 0.0);
    for (var k = 0u; k < depth; k = k + 1u) {
        let at = k * params.free;
        sums = added(sums, four_fields(t.rows + delta + at), four_fields(t.left + r + at), four_fields(t.right + r + at));
    }
    let w = control.steps & 1u;
    let straight = vec2<u32>(matrix(l, 1u - w), matrix(l, RATE_MATRIX));
    let across = vec2<u32>(transposed(l, 1u - w), transposed(l, RATE_MATRIX));
    let bound = bitcast<f32>(word(l, CLIP));
    let m = Move(matrix(l, w), straight, across, rows, columns, kappa, bound, word(l, CLIPPED) != 0u);
    move_row(m, t.row, t.column, sums.low0, sums.high0);
    move_row(m, t.row + 1u, t.column, sums.low1, sums.high1);
    move_row(m, t.row + 2u, t.column, sums.low2, sums.high2);
    move_row(m, t.row + 3u, t.column, sums.low3, sums.high3);
}

fn store_row(at: u32, t: Tile, row: u32, columns: u32, low: vec4<f32>, high: vec4<f32>) {
    if (row >= params.batch) { return; }
    let i = at + row * columns + t.column;
    let left = columns - min(columns, t.column);
    if (left > 0u) { fields[i] = low.x; }
    if (left > WIDE) { fields[i + WIDE] = low.y; }
    if (left > 2u * WIDE) { fields[i + 2u * WIDE] = low.z; }
    if (left > 3u * WIDE) { fields[i + 3u * WIDE] = low.w; }
    if (left > 4u * WIDE) { fields[i + 4u * WIDE] = high.x; }
    if (left > 5u * WIDE) { fields[i + 5u * WIDE] = high.y; }
    if (left > 6u * WIDE) { fields[i + 6u * WIDE] = high.z; }
    if (left > 7u * WIDE) { fields[i + 7u * WIDE] = high.w; }
}

// W_dot r_old or W_dot r_new; the overlaps old-old and new-new are symmetric, new-old is old-new transposed.
fn learn_patterns(is_new: bool, number: u32, lane: u32) {
    let columns = word(0u, LEN);
    let t = tile_of(number, lane, params.batch, columns);
    let kappa = control.rate_w * bitcast<f32>(word(0u, FACTOR));
    let delta = params.delta + word(0u, FIRST);
    let before = 1.0 - control.ramp_prev;
    let mine = t.rows * params.batch;
    var first = mine + params.gram_oo;
    var step = 1u;
    var second = mine + params.gram_on;
    if (is_new) {
        first = t.rows + params.gram_on;
        step = params.batch;
        second = mine + params.gram_nn;
    }
    var sums = Sums();
    let depth = select(params.batch, 0u, kappa == 0.0);
    for (var k = 0u; k < depth; k = k + 1u) {
        let at = k * params.free + delta;
        let v = before * four_states(first + k * step) + control.ramp_prev * four_states(second + k);
        sums = added(sums, v, four_fields(t.left + at), four_fields(t.right + at));
    }
    let at = select(params.old_rate, params.new_rate, is_new);
    store_row(at, t, t.row, columns, kappa * sums.low0, kappa * sums.high0);
    store_row(at, t, t.row + 1u, columns, kappa * sums.low1, kappa * sums.high1);
    store_row(at, t, t.row + 2u, columns, kappa * sums.low2, kappa * sums.high2);
    store_row(at, t, t.row + 3u, columns, kappa * sums.low3, kappa * sums.high3);
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

fn learn(job: u32, number: u32, lane: u32) {
    let above = params.layers - 1u;
    if (job < above) {
        learn_weights(job + 1u, number, lane);
    } else if (job < above + 2u) {
        learn_patterns(job > above, number, lane);
    } else if (number * LANES + lane < params.free) {
        bias(number * LANES + lane);
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // Software adapters run through all branches: nothing but the search stands in the loop.
    let jobs = params.layers * LAYER;
    let last = params.layers + 1u;
    var number = group.x;
    var job = 0u;
    while (job < last && number >= table[jobs + job]) {
        number = number - table[jobs + job];
        job = job + 1u;
    }
    learn(job, number, lane);
}
