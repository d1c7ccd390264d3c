// Vectors of one trajectory of a small network in workgroup memory, and their products with W.
//
// A neuron i is owned by lane i mod LANES, which alone writes its elements. PARTS lanes share the terms of a product's sum: of a row of W
// they are neighbours, and so are the elements they read; of columns, neighbours read neighbouring columns. Their parts are added by the
// owner after a barrier. All sums have a fixed order.
//
// table: for each population that is not empty POPULATION words (below), then BLOCK words for each projection by postsynaptic population, the
// same by presynaptic population, then the population of each neuron. weights: all W, [post_len, pre_len] row-major each.
// How often each loop runs is counted in `kernels::small_step`.

override LANES: u32 = 256u;
override PARTS: u32 = 4u;

// Words of a population: first column, columns, first word and number of the projections into it, the same of those out of it, whether
// biases are bounded, and their bound.
const POPULATION: u32 = 8u;
const COLUMNS: u32 = 1u;
const INTO: u32 = 2u;
const OUT_OF: u32 = 4u;
const BIAS_CLIPPED: u32 = 6u;
const BIAS_CLIP: u32 = 7u;

// Words of a projection: first element of W, presynaptic columns, postsynaptic columns, flags, learning-rate factor, bound of W.
const BLOCK: u32 = 8u;
const PRE: u32 = 1u;
const PRE_LEN: u32 = 2u;
const POST: u32 = 3u;
const POST_LEN: u32 = 4u;
const FLAGS: u32 = 5u;
const FACTOR: u32 = 6u;
const CLIP: u32 = 7u;

// Part of L, of which a sweep is the inverse; of W_b.
const FORWARD: u32 = 1u;
const BACK: u32 = 2u;
const HOLLOW: u32 = 4u;
const LEARNS: u32 = 8u;
// W_dot enters the dynamics.
const MOVES: u32 = 16u;
const CLIPPED: u32 = 32u;

// Most neurons.
const ROOM: u32 = 256u;

// Where vectors begin.
const R: u32 = 0u;
const DELTA: u32 = 256u;
// rho'.
const D: u32 = 512u;
// C, the diagonal that distinguishes H from J^T J.
const BEND: u32 = 768u;
const U_DOT: u32 = 1024u;
const Y: u32 = 1280u;
const P: u32 = 1536u;
const RES: u32 = 1792u;
const Z: u32 = 2048u;
const T: u32 = 2304u;
// rho' times the operand of a product.
const GATED: u32 = 2560u;

var<workgroup> vectors: array<f32, 2816>;
var<workgroup> partial: array<f32, 1024>;
var<workgroup> heads: array<vec4<f32>, 16>;

// Part of the product of a row of W, from element w on, and x.
fn row_part(w: u32, x: u32, part: u32, len: u32) -> f32 {
    let whole = len - len % (4u * PARTS);
    var sums = vec4<f32>();
    var k = part;
    for (; k < whole; k = k + 4u * PARTS) {
        let a = vec4<f32>(weights[w + k], weights[w + k + PARTS], weights[w + k + 2u * PARTS], weights[w + k + 3u * PARTS]);
        let b = x + k;
        sums = sums + a * vec4<f32>(vectors[b], vectors[b + PARTS], vectors[b + 2u * PARTS], vectors[b + 3u * PARTS]);
    }
    var sum = (sums.x + sums.y) + (sums.z + sums.w);
    for (; k < len; k = k + PARTS) { sum = sum + weights[w + k] * vectors[x + k]; }
    return sum;
}

// Part of the product of a column of W, its first element at w, and x.
fn column_part(w: u32, stride: u32, x: u32, part: u32, len: u32) -> f32 {
    let whole = len - len % (4u * PARTS);
    let next = PARTS * stride;
    var sums = vec4<f32>();
    var k = part;
    for (; k < whole; k = k + 4u * PARTS) {
        let at = w + k * stride;
        let a = vec4<f32>(weights[at], weights[at + next], weights[at + 2u * next], weights[at + 3u * next]);
        let b = x + k;
        sums = sums + a * vec4<f32>(vectors[b], vectors[b + PARTS], vectors[b + 2u * PARTS], vectors[b + 3u * PARTS]);
    }
    var sum = (sums.x + sums.y) + (sums.z + sums.w);
    for (; k < len; k = k + PARTS) { sum = sum + weights[w + k * stride] * vectors[x + k]; }
    return sum;
}

// partial <- W x on the rows of the populations first .. end, along projections with one of these flags.
fn product_rows(lane: u32, first: u32, end: u32, flags: u32, x: u32) {
    let part = lane % PARTS;
    for (var p = first; p < end; p = p + 1u) {
        let own = p * POPULATION;
        let len = table[own + COLUMNS];
        for (var i = lane / PARTS; i < len; i = i + LANES / PARTS) {
            var sum = 0.0;
            for (var k = 0u; k < table[own + INTO + 1u]; k = k + 1u) {
                let block = table[own + INTO] + k * BLOCK;
                if ((table[block + FLAGS] & flags) != 0u) {
                    let width = table[block + PRE_LEN];
                    sum = sum + row_part(table[block] + i * width, x + table[block + PRE], part, width);
                }
            }
            partial[part * ROOM + table[own] + i] = sum;
        }
    }
}

// partial <- W^T x on the columns of the populations first .. end: along L with `forth`, along W_b with sign times `back`.
fn product_columns(lane: u32, first: u32, end: u32, forth: u32, back: u32, sign: f32) {
    let part = lane / (LANES / PARTS);
    for (var p = first; p < end; p = p + 1u) {
        let own = p * POPULATION;
        let len = table[own + COLUMNS];
        for (var j = lane % (LANES / PARTS); j < len; j = j + LANES / PARTS) {
            var sum = 0.0;
            for (var k = 0u; k < table[own + OUT_OF + 1u]; k = k + 1u) {
                let block = table[own + OUT_OF] + k * BLOCK;
                let runs_forward = (table[block + FLAGS] & FORWARD) != 0u;
                let x = select(back, forth, runs_forward) + table[block + POST];
                let v = column_part(table[block] + j, table[block + PRE_LEN], x, part, table[block + POST_LEN]);
                sum = sum + select(sign * v, v, runs_forward);
            }
            partial[part * ROOM + table[own] + j] = sum;
        }
    }
}

// What the last product left for a neuron.
fn product(i: u32) -> f32 {
    var sum = partial[i];
    for (var part = 1u; part < PARTS; part = part + 1u) { sum = sum + partial[part * ROOM + i]; }
    return sum;
}

// y <- L^-1 y, and GATED = rho' y; nothing where the trajectory has converged, but barriers are met all the same: some compilers refuse those
// that depend on data.
fn sweep_forward(lane: u32, open: bool) {
    // Nothing runs forward into the first population.
    for (var p = 1u; p < params.populations; p = p + 1u) {
        product_rows(lane, p, select(p, p + 1u, open), FORWARD, GATED);
        workgroupBarrier();
        let start = table[p * POPULATION];
        let end = select(start, start + table[p * POPULATION + COLUMNS], open);
        for (var i = first_of(lane, start); i < end; i = i + LANES) {
            let y = vectors[Y + i] + product(i);
            vectors[Y + i] = y;
            vectors[GATED + i] = vectors[D + i] * y;
        }
        workgroupBarrier();
    }
}

// z <- L^-T (z - D W_b^T x).
fn sweep_back(lane: u32, x: u32, open: bool) {
    for (var back = 1u; back <= params.populations; back = back + 1u) {
        let p = params.populations - back;
        product_columns(lane, p, select(p, p + 1u, open), Z, x, -1.0);
        workgroupBarrier();
        let start = table[p * POPULATION];
        let end = select(start, start + table[p * POPULATION + COLUMNS], open);
        for (var i = first_of(lane, start); i < end; i = i + LANES) {
            vectors[Z + i] = vectors[Z + i] + vectors[D + i] * product(i);
        }
        workgroupBarrier();
    }
}

// First neuron from `start` on that a lane owns.
fn first_of(lane: u32, start: u32) -> u32 {
    return start + (lane + LANES - start % LANES) % LANES;
}

// How many lanes are added up before the rest.
fn chunk() -> u32 { return min(LANES, 16u); }

// Four sums over the workgroup, in every invocation.
fn totals(lane: u32, v: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    partial[lane] = v.x;
    partial[LANES + lane] = v.y;
    partial[2u * LANES + lane] = v.z;
    partial[3u * LANES + lane] = v.w;
    workgroupBarrier();
    if (lane < LANES / chunk()) {
        var sum = vec4<f32>();
        for (var k = 0u; k < chunk(); k = k + 1u) {
            let at = lane * chunk() + k;
            sum = sum + vec4<f32>(partial[at], partial[LANES + at], partial[2u * LANES + at], partial[3u * LANES + at]);
        }
        heads[lane] = sum;
    }
    workgroupBarrier();
    var sum = vec4<f32>();
    for (var k = 0u; k < LANES / chunk(); k = k + 1u) { sum = sum + heads[k]; }
    return sum;
}

// The sum over the workgroup, in every invocation.
fn total(lane: u32, v: f32) -> f32 {
    workgroupBarrier();
    partial[lane] = v;
    workgroupBarrier();
    if (lane < LANES / chunk()) {
        var sum = 0.0;
        for (var k = 0u; k < chunk(); k = k + 1u) { sum = sum + partial[lane * chunk() + k]; }
        heads[lane].x = sum;
    }
    workgroupBarrier();
    var sum = 0.0;
    for (var k = 0u; k < LANES / chunk(); k = k + 1u) { sum = sum + heads[k].x; }
    return sum;
}
