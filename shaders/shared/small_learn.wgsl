// Plasticity of a trajectory that owns its weights: W_dot = clip(kappa delta r^T) is never formed, kappa = the rate times the factor of the
// projection (model, section 3; step order, items 4 and 7).

// Comparisons, so that a NaN stays one.
fn bounded(v: f32, bound: f32) -> f32 {
    if (v > bound) { return bound; }
    if (v < -bound) { return -bound; }
    return v;
}

// An element of W_dot.
fn element(kappa: f32, delta: f32, r: f32) -> f32 {
    let v = kappa * (delta * r);
    if (params.rate_clipped != 0u) { return bounded(v, params.rate_clip); }
    return v;
}

// Four of them.
fn elements(kappa: f32, delta: f32, r: vec4<f32>) -> vec4<f32> {
    let v = kappa * (delta * r);
    if (params.rate_clipped == 0u) { return v; }
    let bound = params.rate_clip;
    return vec4<f32>(bounded(v.x, bound), bounded(v.y, bound), bounded(v.z, bound), bounded(v.w, bound));
}

// Sum over the elements of W_dot between one neuron and those from `other` on, times these: their rates if `value` is a delta, or the other way
// round. `own` is left out: no neuron projects onto itself.
fn rate_sum(kappa: f32, value: f32, other: u32, len: u32, own: u32) -> f32 {
    let whole = len - len % 4u;
    var sums = vec4<f32>();
    for (var k = 0u; k < whole; k = k + 4u) {
        let at = other + k;
        let v = vec4<f32>(vectors[at], vectors[at + 1u], vectors[at + 2u], vectors[at + 3u]);
        let is_own = vec4<u32>(k, k + 1u, k + 2u, k + 3u) == vec4<u32>(own);
        sums = sums + select(elements(kappa, value, v) * v, vec4<f32>(), is_own);
    }
    var sum = (sums.x + sums.y) + (sums.z + sums.w);
    for (var k = whole; k < len; k = k + 1u) {
        let v = vectors[other + k];
        if (k != own) { sum = sum + element(kappa, value, v) * v; }
    }
    return sum;
}

// W_dot r of a neuron.
fn along_rates(i: u32, rate: f32) -> f32 {
    var sum = 0.0;
    let own = table[params.owners + i] * POPULATION;
    for (var k = 0u; k < table[own + INTO + 1u]; k = k + 1u) {
        let block = table[own + INTO] + k * BLOCK;
        let flags = table[block + FLAGS];
        if ((flags & MOVES) != 0u) {
            let pre = table[block + PRE];
            let self_at = select(NONE, i - pre, (flags & HOLLOW) != 0u);
            let kappa = rate * bitcast<f32>(table[block + FACTOR]);
            sum = sum + rate_sum(kappa, vectors[DELTA + i], R + pre, table[block + PRE_LEN], self_at);
        }
    }
    return sum;
}

// W_dot^T delta of a neuron.
fn against_rates(j: u32, rate: f32) -> f32 {
    var sum = 0.0;
    let own = table[params.owners + j] * POPULATION;
    for (var k = 0u; k < table[own + OUT_OF + 1u]; k = k + 1u) {
        let block = table[own + OUT_OF] + k * BLOCK;
        let flags = table[block + FLAGS];
        if ((flags & MOVES) != 0u) {
            let post = table[block + POST];
            let self_at = select(NONE, j - post, (flags & HOLLOW) != 0u);
            let kappa = rate * bitcast<f32>(table[block + FACTOR]);
            sum = sum + rate_sum(kappa, vectors[R + j], DELTA + post, table[block + POST_LEN], self_at);
        }
    }
    return sum;
}

// b_dot of a neuron.
fn bias_rate(i: u32, rate: f32) -> f32 {
    if (rate == 0.0) { return 0.0; }
    let v = rate * state[params.b_factor + i] * vectors[DELTA + i];
    if (params.bias_rate_clipped != 0u) { return bounded(v, params.rate_clip); }
    return v;
}

// How the weights from one neuron move.
struct Move {
    // Element of the first of them, elements between two of them.
    at: u32,
    width: u32,
    // First postsynaptic neuron, and the neuron itself among them.
    post: u32,
    own: u32,
    kappa: f32,
    r: f32,
    clipped: bool,
    bound: f32,
}

fn move_weight(m: Move, i: u32) {
    let at = m.at + i * m.width;
    var v = weights[at];
    // Without a rate nothing is added, not even 0 times what is not finite.
    if (i != m.own && m.kappa != 0.0) { v = v + params.dt * element(m.kappa, vectors[DELTA + m.post + i], m.r); }
    if (m.clipped) { v = bounded(v, m.bound); }
    weights[at] = v;
}

// Moves the weights of a projection; without a rate only their bound tells.
fn learn_block(lane: u32, block: u32, rate: f32) {
    let flags = table[block + FLAGS];
    let clipped = (flags & CLIPPED) != 0u;
    let kappa = select(0.0, rate * bitcast<f32>(table[block + FACTOR]), (flags & LEARNS) != 0u);
    if (kappa == 0.0 && !clipped) { return; }
    let width = table[block + PRE_LEN];
    let height = table[block + POST_LEN];
    let post = table[block + POST];
    let lanes = LANES / PARTS;
    let part = lane / lanes;
    let whole = height - height % 4u;
    for (var j = lane % lanes; j < width; j = j + lanes) {
        let pre = table[block + PRE] + j;
        let own = select(NONE, pre - post, (flags & HOLLOW) != 0u);
        let bound = bitcast<f32>(table[block + CLIP]);
        let m = Move(table[block] + j, width, post, own, kappa, vectors[R + pre], clipped, bound);
        for (var i = 4u * part; i < whole; i = i + 4u * PARTS) {
            move_weight(m, i);
            move_weight(m, i + 1u);
            move_weight(m, i + 2u);
            move_weight(m, i + 3u);
        }
        for (var i = whole + part; i < height; i = i + PARTS) { move_weight(m, i); }
    }
}

// Moves W and b; `first`: the bounds may not have been met yet.
fn learn(lane: u32, now: Control, first: bool) {
    if (now.rate_w != 0.0 || first) {
        for (var p = 0u; p < params.populations; p = p + 1u) {
            let own = p * POPULATION;
            for (var k = 0u; k < table[own + INTO + 1u]; k = k + 1u) {
                learn_block(lane, table[own + INTO] + k * BLOCK, now.rate_w);
            }
        }
    }
    for (var i = lane; i < params.n; i = i + LANES) {
        let own = table[params.owners + i] * POPULATION;
        var b = state[params.b + i] + params.dt * state[params.b_dot + i];
        if (table[own + BIAS_CLIPPED] != 0u) { b = bounded(b, bitcast<f32>(table[own + BIAS_CLIP])); }
        state[params.b + i] = b;
    }
}
