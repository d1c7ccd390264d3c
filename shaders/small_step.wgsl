// Time steps of a small network as a whole: one workgroup integrates one trajectory for control.steps steps (model, section 8).
//
// What the plan of a step does call by call, with the vectors of a trajectory in workgroup memory: stimulus, rates, mismatch, metrics,
// right-hand side, conjugate gradients for H u_dot = rhs with the sweeps of `dynamics::exact` from 2 u_dot - u_dot_2, voltages; and weights and
// biases where the trajectory owns them (owns = 1). How the buffers of `state` are shaped stands with the kernels that a call of the plan
// names; the history is u_dot_2. slots: control values of the steps, one after the other.
// The loop of the solver runs control.iterations times whatever happens, with loops of length 0 once it has converged: some compilers refuse
// barriers that depend on data. All sums have a fixed order, and all that lasts is in buffers between two steps, so that results do not
// depend on how many steps a dispatch takes.

struct Params {
    u: u32,
    u_dot: u32,
    history: u32,
    b: u32,
    b_dot: u32,
    b_factor: u32,
    active_mask: u32,
    stimulus: u32,
    x_old: u32,
    x_new: u32,
    y_old: u32,
    y_new: u32,
    rows: u32,
    single: u32,
    x: u32,
    x_dot: u32,
    y: u32,
    y_dot: u32,
    beta: u32,
    solver: u32,
    record: u32,
    sums: u32,
    batch: u32,
    n: u32,
    n_in: u32,
    n_out: u32,
    out_start: u32,
    populations: u32,
    owners: u32,
    activation: u32,
    apical: u32,
    learning: u32,
    owns: u32,
    biases_move: u32,
    rate_clipped: u32,
    bias_rate_clipped: u32,
    rate_clip: f32,
    shape_a: f32,
    shape_d: f32,
    flat_below: f32,
    dt: f32,
    inv_dt: f32,
    inv_tau: f32,
    tolerance: f32,
    tol2: f32,
    u_limit: f32,
}

struct Slot {
    control: Control,
    rest: array<u32, 50>,
}

@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<storage, read> table: array<u32>;
@group(0) @binding(6) var<storage, read> slots: array<Slot>;
@group(0) @binding(7) var<storage, read> samples: array<u32>;
@group(0) @binding(8) var<storage, read> targets: array<u32>;

const RECORD_LEN: u32 = 8u;

// A lane without an output.
const NO_CLASS: f32 = -1.0;

// Items 1 and 2: stimulus, rates, a in T, delta, W^T delta in Y, C.
fn sense(lane: u32, trajectory: u32, now: Control) {
    let row = trajectory * params.n;
    let has_sample = state[params.active_mask + trajectory] != 0.0;
    for (var i = lane; i < params.n; i = i + LANES) {
        if (i < params.n_in) { take_input(trajectory, i, now, has_sample); }
        if (i >= params.out_start) { take_target(trajectory, i - params.out_start, now, has_sample); }
        let rate = activation(params.activation, state[params.u + row + i], params.shape_a, params.shape_d);
        vectors[R + i] = rate.r;
        vectors[D + i] = rate.d;
        vectors[BEND + i] = rate.d2;
    }
    workgroupBarrier();
    product_rows(lane, 0u, params.populations, FORWARD | BACK, R);
    workgroupBarrier();
    for (var i = lane; i < params.n; i = i + LANES) {
        var a = product(i) + state[params.b + i];
        if (i < params.n_in) { a = a + state[params.x + trajectory * params.n_in + i]; }
        vectors[T + i] = a;
        vectors[DELTA + i] = select(0.0, state[params.u + row + i] - a, has_sample);
        vectors[Y + i] = 0.0;
    }
    workgroupBarrier();
    if (params.apical != 0u) {
        product_columns(lane, 0u, params.populations, DELTA, DELTA, 1.0);
        workgroupBarrier();
        for (var i = lane; i < params.n; i = i + LANES) { vectors[Y + i] = product(i); }
    }
    for (var i = lane; i < params.n; i = i + LANES) {
        var bend = -vectors[BEND + i] * vectors[Y + i];
        if (i >= params.out_start) { bend = bend + beta_of(i, now); }
        vectors[BEND + i] = bend;
    }
    workgroupBarrier();
}

fn beta_of(i: u32, now: Control) -> f32 {
    return state[params.beta + now.beta_row * params.n_out + i - params.out_start];
}

// Of a sum, what earlier steps added to it.
fn before(i: u32, now: Control) -> f32 {
    if (params.sums != 0u && now.index > 0u) { return state[i]; }
    return 0.0;
}

// The larger |u| and the first of the largest outputs of two lanes, each at its place in three parts of `partial`.
fn merge(at: u32, other: u32) {
    if (partial[other] > partial[at]) { partial[at] = partial[other]; }
    let index = partial[2u * LANES + other];
    let mine = partial[2u * LANES + at];
    let value = partial[LANES + other];
    let beats = value > partial[LANES + at] || (value == partial[LANES + at] && index < mine);
    if (index != NO_CLASS && (mine == NO_CLASS || beats)) {
        partial[LANES + at] = value;
        partial[2u * LANES + at] = index;
    }
}

// Metrics before the voltages move, as in observe.wgsl.
fn observe(lane: u32, trajectory: u32, now: Control) {
    // Cost, nudging, |delta|^2, |f|^2.
    var sums = vec4<f32>();
    var most = 0.0;
    var saturated = 0.0;
    var best = 0.0;
    var class_index = NO_CLASS;
    for (var i = lane; i < params.n; i = i + LANES) {
        let u = state[params.u + trajectory * params.n + i];
        let d = vectors[D + i];
        let delta = vectors[DELTA + i];
        var f = delta - d * vectors[Y + i];
        if (i >= params.out_start) {
            let o = i - params.out_start;
            let target_u = state[params.y + trajectory * params.n_out + o];
            let a = vectors[T + i];
            let gap = target_u - u;
            f = f - beta_of(i, now) * gap;
            sums.x = sums.x + (target_u - a) * (target_u - a);
            sums.y = sums.y + beta_of(i, now) * gap * gap;
            if (class_index == NO_CLASS || a > best) {
                best = a;
                class_index = f32(o);
            }
        } else if (d < params.flat_below) {
            saturated = saturated + 1.0;
        }
        sums = sums + vec4<f32>(0.0, 0.0, delta * delta, f * f);
        if (abs(u) > most) { most = abs(u); }
    }
    sums = totals(lane, sums);
    saturated = total(lane, saturated);
    workgroupBarrier();
    partial[lane] = most;
    partial[LANES + lane] = best;
    partial[2u * LANES + lane] = class_index;
    workgroupBarrier();
    if (lane < LANES / chunk()) {
        for (var k = 1u; k < chunk(); k = k + 1u) { merge(lane * chunk(), lane * chunk() + k); }
    }
    workgroupBarrier();
    if (lane == 0u) {
        for (var k = 1u; k < LANES / chunk(); k = k + 1u) { merge(0u, k * chunk()); }
        let record = params.record + trajectory * RECORD_LEN;
        state[record + 0u] = before(record + 0u, now) + 0.5 * sums.x;
        state[record + 1u] = partial[2u * LANES];
        state[record + 2u] = before(record + 2u, now) + 0.5 * (sums.z + sums.y);
        state[record + 3u] = before(record + 3u, now) + sqrt(sums.w);
        state[record + 4u] = max(before(record + 4u, now), partial[0]);
        state[record + 5u] = before(record + 5u, now) + saturated;
    }
    workgroupBarrier();
}

// c = L^-T rhs in P, the guess of u_dot with rho' times it in GATED, and the history; returns |c|^2.
fn drive(lane: u32, trajectory: u32, now: Control) -> f32 {
    let row = trajectory * params.n;
    for (var i = lane; i < params.n; i = i + LANES) {
        var c = -vectors[DELTA + i] * params.inv_tau;
        if (params.learning != 0u) {
            let b_dot = bias_rate(i, now.rate_b);
            if (params.owns != 0u) { state[params.b_dot + i] = b_dot; }
            if (params.biases_move != 0u) { c = c + b_dot; }
        }
        if (i < params.n_in) { c = c + state[params.x_dot + trajectory * params.n_in + i]; }
        var g = 0.0;
        if (i >= params.out_start) {
            let k = trajectory * params.n_out + i - params.out_start;
            let gap = state[params.y + k] - state[params.u + row + i];
            g = beta_of(i, now) * (gap * params.inv_tau + state[params.y_dot + k]);
        }
        if (now.rate_w != 0.0) {
            c = c + along_rates(i, now.rate_w);
            g = g + vectors[D + i] * against_rates(i, now.rate_w);
        }
        vectors[P + i] = c;
        vectors[Z + i] = g;
    }
    workgroupBarrier();
    sweep_back(lane, P, true);
    var sum = 0.0;
    for (var i = lane; i < params.n; i = i + LANES) {
        let c = vectors[P + i] + vectors[Z + i];
        vectors[P + i] = c;
        sum = sum + c * c;
        let newest = state[params.u_dot + row + i];
        let u_dot = 2.0 * newest - state[params.history + row + i];
        state[params.history + row + i] = newest;
        vectors[U_DOT + i] = u_dot;
        vectors[GATED + i] = vectors[D + i] * u_dot;
    }
    return total(lane, sum);
}

// Residual and direction at the guess: c - A v for the v with u_dot = L^-1 v; returns the square of its norm.
fn begin(lane: u32) -> f32 {
    product_rows(lane, 0u, params.populations, FORWARD | BACK, GATED);
    workgroupBarrier();
    for (var i = lane; i < params.n; i = i + LANES) {
        let u_dot = vectors[U_DOT + i];
        vectors[T + i] = u_dot - product(i);
        vectors[Z + i] = vectors[BEND + i] * u_dot;
    }
    workgroupBarrier();
    sweep_back(lane, T, true);
    var sum = 0.0;
    for (var i = lane; i < params.n; i = i + LANES) {
        let res = vectors[P + i] - (vectors[Z + i] + vectors[T + i]);
        point(i, res, res);
        sum = sum + res * res;
    }
    return total(lane, sum);
}

// Residual and direction of a neuron.
fn point(i: u32, res: f32, p: f32) {
    vectors[RES + i] = res;
    vectors[P + i] = p;
    vectors[Y + i] = p;
    vectors[GATED + i] = vectors[D + i] * p;
}

// One iteration: h = A p in Z, then the update; nothing where the trajectory has converged. Returns the square of the residual's norm and p.A p.
fn iterate(lane: u32, norm2: f32, open: bool) -> vec2<f32> {
    let n = select(0u, params.n, open);
    sweep_forward(lane, open);
    // t = J y: what runs forward is in p already.
    product_rows(lane, 0u, select(0u, params.populations, open), BACK, GATED);
    workgroupBarrier();
    for (var i = lane; i < n; i = i + LANES) {
        vectors[T + i] = vectors[P + i] - product(i);
        vectors[Z + i] = vectors[BEND + i] * vectors[Y + i];
    }
    workgroupBarrier();
    sweep_back(lane, T, open);
    var sum = 0.0;
    for (var i = lane; i < n; i = i + LANES) {
        let h = vectors[Z + i] + vectors[T + i];
        vectors[Z + i] = h;
        sum = sum + vectors[P + i] * h;
    }
    let curvature = total(lane, sum);
    var alpha = 0.0;
    if (curvature != 0.0) { alpha = norm2 / curvature; }
    sum = 0.0;
    for (var i = lane; i < n; i = i + LANES) {
        vectors[U_DOT + i] = vectors[U_DOT + i] + alpha * vectors[Y + i];
        let res = vectors[RES + i] - alpha * vectors[Z + i];
        vectors[RES + i] = res;
        sum = sum + res * res;
    }
    let next2 = total(lane, sum);
    let gain = next2 / norm2;
    for (var i = lane; i < n; i = i + LANES) {
        let res = vectors[RES + i];
        point(i, res, res + gain * vectors[P + i]);
    }
    workgroupBarrier();
    return vec2<f32>(select(norm2, next2, open), curvature);
}

// Item 5: u_dot.
fn solve(lane: u32, trajectory: u32, now: Control) {
    let threshold2 = params.tol2 * drive(lane, trajectory, now);
    var norm2 = begin(lane);
    var count = 0.0;
    var bent = 0.0;
    for (var k = 0u; k < control.iterations; k = k + 1u) {
        // Not `>`: a NaN stays open, as it does on the processor.
        let open = !(norm2 <= threshold2);
        let found = iterate(lane, norm2, open);
        norm2 = found.x;
        if (open) {
            count = count + 1.0;
            if (found.y <= 0.0) { bent = 1.0; }
        }
    }
    if (lane == 0u) { keep(trajectory, norm2, threshold2, count, bent); }
}

// What is booked of the iterations of a step, as in cg_finish.wgsl.
fn keep(trajectory: u32, norm2: f32, threshold2: f32, count: f32, bent: f32) {
    let book = params.solver + trajectory * SOLVER_LEN;
    state[book + RESIDUAL2] = norm2;
    state[book + THRESHOLD2] = threshold2;
    state[book + ITERATIONS] = count;
    state[book + BENT] = bent;
    if (state[params.active_mask + trajectory] == 0.0) { return; }
    state[book + INDEFINITE] = state[book + INDEFINITE] + bent;
    state[book + TOTAL] = state[book + TOTAL] + count;
    state[book + MOST] = max(state[book + MOST], count);
    if (!is_finite(norm2) || !is_finite(threshold2) || norm2 > threshold2) {
        state[book + UNCONVERGED] = state[book + UNCONVERGED] + 1.0;
    }
    if (norm2 > 0.0 && threshold2 > 0.0) {
        let relative = sqrt(norm2 / threshold2) * params.tolerance;
        if (relative > state[book + RESIDUAL]) { state[book + RESIDUAL] = relative; }
    }
}

// Item 7: voltages.
fn integrate(lane: u32, trajectory: u32, now: Control) {
    let has_sample = state[params.active_mask + trajectory] != 0.0;
    for (var i = lane; i < params.n; i = i + LANES) {
        let at = trajectory * params.n + i;
        state[params.u_dot + at] = select(0.0, vectors[U_DOT + i], has_sample);
        if (!has_sample) { continue; }
        let u = state[params.u + at] + params.dt * vectors[U_DOT + i];
        state[params.u + at] = u;
        if (!is_finite(u)) {
            note_at(now.index, STATE, params.batch, trajectory, i, params.n);
        } else if (abs(u) > params.u_limit) {
            note_at(now.index, LIMIT, params.batch, trajectory, i, params.n);
        }
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    for (var k = 0u; k < control.steps; k = k + 1u) {
        let now = slots[control.slot + k].control;
        sense(lane, group.x, now);
        if (params.record != NONE) { observe(lane, group.x, now); }
        solve(lane, group.x, now);
        integrate(lane, group.x, now);
        if (params.owns != 0u) { learn(lane, now, k == 0u); }
        // The next step reads the weights that other lanes have moved, and no lane is still at work on this one.
        storageBarrier();
        workgroupBarrier();
    }
}
