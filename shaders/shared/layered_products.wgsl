// Products of W, or W^T, with vectors of a group of trajectories.
//
// A neuron i of a layer is owned by lane i mod LANES, which alone reads and writes what belongs to it; only `operand` and `partial` pass
// from lane to lane. PARTS lanes share the terms of a sum where a layer has few neurons. All sums have a fixed order, the same for groups of any size.

override LANES: u32 = 256u;

// Of each neuron of a group, in `scratch`: rho', what the backward sweep carries, a direction of the solver, u_dot, residual, direction.
const FIELDS: u32 = 6u;
const D: u32 = 0u;
const Z: u32 = 1u;
const WAY: u32 = 2u;
const RATE: u32 = 3u;
const RES: u32 = 4u;
const DIR: u32 = 5u;

// What becomes of the elements of a product: delta, or a field that takes them, takes them times rho', adds them before or after.
const TO_DELTA: u32 = 0u;
const TAKE: u32 = 1u;
const GATE: u32 = 2u;
const ADD_AND_GATE: u32 = 3u;
const ADD: u32 = 4u;

var<workgroup> operand: array<V, ROOM>;
var<workgroup> partial: array<V, LANES>;

// The trajectories of the group that have a sample.
var<private> has_sample: Flags;

// First element of a field of a layer.
fn field(g: u32, which: u32, l: u32) -> u32 {
    return (g * FIELDS + which) * params.free + word(l, FIRST);
}

// First element of a layer in what all groups share.
fn shared_field(at: u32, l: u32) -> u32 { return at + word(l, FIRST); }

// Where the elements of a product go.
struct Result {
    l: u32,
    kind: u32,
    which: u32,
}

fn deliver(g: u32, to: Result, i: u32, sum: V) {
    if (to.kind == TO_DELTA) {
        let u = take(params.u + word(to.l, START) + i, params.n, g * GROUP);
        let delta = u - (sum + V(state[params.b + word(to.l, START) + i]));
        put_field(shared_field(params.delta, to.l) + i, params.free, g * GROUP, select(V(0.0), delta, has_sample));
        return;
    }
    let at = field(g, to.which, to.l) + i;
    if (to.kind == TAKE) {
        scratch[at] = sum;
    } else if (to.kind == GATE) {
        scratch[at] = scratch[field(g, D, to.l) + i] * sum;
    } else if (to.kind == ADD_AND_GATE) {
        scratch[at] = scratch[field(g, D, to.l) + i] * (scratch[at] + sum);
    } else {
        scratch[at] = scratch[at] + sum;
    }
}

// Terms `span.x .. span.y` of the sum of column i.
fn column(at: u32, n: u32, i: u32, span: vec2<u32>) -> V {
    var sum = V(0.0);
    var k = span.x;
    for (; k + 4u <= span.y; k = k + 4u) {
        let m = at + k * n + i;
        sum = sum + matrices[m] * operand[k];
        sum = sum + matrices[m + n] * operand[k + 1u];
        sum = sum + matrices[m + 2u * n] * operand[k + 2u];
        sum = sum + matrices[m + 3u * n] * operand[k + 3u];
    }
    for (; k < span.y; k = k + 1u) { sum = sum + matrices[at + k * n + i] * operand[k]; }
    return sum;
}

// Four columns of a lane at once: an element of the operand that is fetched is used four times.
fn columns(g: u32, to: Result, at: u32, n: u32, i: u32, depth: u32) {
    let last = n - 1u;
    let c = min(vec4<u32>(i, i + LANES, i + 2u * LANES, i + 3u * LANES), vec4<u32>(last));
    var sum0 = V(0.0);
    var sum1 = V(0.0);
    var sum2 = V(0.0);
    var sum3 = V(0.0);
    for (var k = 0u; k < depth; k = k + 1u) {
        let m = vec4<u32>(at + k * n) + c;
        let x = operand[k];
        sum0 = sum0 + matrices[m.x] * x;
        sum1 = sum1 + matrices[m.y] * x;
        sum2 = sum2 + matrices[m.z] * x;
        sum3 = sum3 + matrices[m.w] * x;
    }
    deliver(g, to, i, sum0);
    if (i + LANES < n) { deliver(g, to, i + LANES, sum1); }
    if (i + 2u * LANES < n) { deliver(g, to, i + 2u * LANES, sum2); }
    if (i + 3u * LANES < n) { deliver(g, to, i + 3u * LANES, sum3); }
}

// The sums over `depth` rows of a matrix times the elements of `operand`, for all neurons of a layer; nothing unless `open`, but barriers are met all the
// same. Afterwards lanes may write `operand`.
fn product(lane: u32, g: u32, at: u32, depth: u32, to: Result, open: bool) {
    workgroupBarrier();
    let len = word(to.l, LEN);
    let n = select(0u, len, open);
    let parts = word(to.l, PARTS);
    let lanes = LANES / parts;
    let each = (depth + parts - 1u) / parts;
    let start = (lane / lanes) * each;
    let span = vec2<u32>(start, min(depth, start + each));
    var base = 0u;
    for (; base + 2u * LANES < n; base = base + 4u * LANES) { columns(g, to, at, len, base + lane, depth); }
    for (; base < n; base = base + lanes) {
        let i = base + lane % lanes;
        if (i < n) {
            let sum = column(at, len, i, span);
            if (parts == 1u) {
                deliver(g, to, i, sum);
            } else {
                partial[lane] = sum;
            }
        }
    }
    workgroupBarrier();
    if (parts > 1u && lane < n) {
        var sum = partial[lane];
        for (var part = 1u; part < parts; part = part + 1u) { sum = sum + partial[part * lanes + lane]; }
        deliver(g, to, lane, sum);
    }
}

// z <- rho' (W^T z) from the last layer on; of the right-hand side, rho' (W^T z + W_dot^T delta).
fn sweep_back(lane: u32, g: u32, which: u32, w: u32, rates: bool, open: bool) {
    for (var back = 1u; back < params.layers; back = back + 1u) {
        let l = params.layers - back;
        let len = word(l, LEN);
        let moves = rates && bitcast<f32>(word(l, FACTOR)) != 0.0;
        let z = field(g, which, l);
        for (var i = lane; i < len; i = i + LANES) { operand[i] = scratch[z + i]; }
        product(lane, g, matrix(l, w), len, Result(l - 1u, select(GATE, TAKE, moves), which), open);
        if (rates) {
            if (moves) {
                let delta = shared_field(params.delta, l);
                for (var i = lane; i < len; i = i + LANES) { operand[i] = take_field(delta + i, params.free, g * GROUP); }
            }
            product(lane, g, matrix(l, RATE_MATRIX), len, Result(l - 1u, ADD_AND_GATE, which), open && moves);
        }
    }
}

// y <- y + W (rho' y) from the first layer on; of u_dot, y + W (rho' y) + W_dot r.
fn sweep_forward(lane: u32, g: u32, which: u32, w: u32, rates: bool, open: bool) {
    for (var l = 1u; l < params.layers; l = l + 1u) {
        let len = word(l - 1u, LEN);
        let moves = rates && bitcast<f32>(word(l, FACTOR)) != 0.0;
        let y = field(g, which, l - 1u);
        let d = field(g, D, l - 1u);
        for (var i = lane; i < len; i = i + LANES) { operand[i] = scratch[d + i] * scratch[y + i]; }
        product(lane, g, transposed(l, w), len, Result(l, ADD, which), open);
        if (rates) {
            if (moves) {
                let r = shared_field(params.r, l - 1u);
                for (var i = lane; i < len; i = i + LANES) { operand[i] = take_field(r + i, params.free, g * GROUP); }
            }
            product(lane, g, transposed(l, RATE_MATRIX), len, Result(l, ADD, which), open && moves);
        }
    }
}

// How many lanes are added up one by one, after the others were added to them.
const FEW: u32 = 16u;

// Sums of the first params.out_lanes lanes, a power of two, in every invocation.
fn total(lane: u32, v: V) -> V {
    workgroupBarrier();
    partial[lane] = v;
    workgroupBarrier();
    for (var half = params.out_lanes / 2u; half >= FEW; half = half / 2u) {
        if (lane < half) { partial[lane] = partial[lane] + partial[lane + half]; }
        workgroupBarrier();
    }
    var sum = partial[0];
    for (var k = 1u; k < min(FEW, params.out_lanes); k = k + 1u) { sum = sum + partial[k]; }
    return sum;
}
