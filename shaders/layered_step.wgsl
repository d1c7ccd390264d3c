// A time step of a layered network with resident weights but for what the trajectories have in common (`layered_learn.wgsl`): one workgroup
// takes a group of trajectories (model, sections 2 and 8).
//
// What the plan of such a step does call by call: solve (targets, right-hand side, conjugate gradients over the outputs, voltages) with the
// weights that were, then sense (rates, rho', delta) of the next step with those that are. A run of steps begins with sense alone and ends with
// solve alone: params.mode. control.steps: which of the two W this step has, and (bit 1) which the next one. slots: control values of the steps,
// one after the other; control.slot is that of this step.
// The loop of the solver ends where all trajectories of the group have converged, or (EARLY = false) runs control.iterations times with loops of length 0 from
// there on: some compilers refuse barriers that depend on data. A trajectory that has converged changes no more, so that its results do not
// depend on the others of its group.

struct Params {
    mode: u32,
    batch: u32,
    n: u32,
    n_out: u32,
    free: u32,
    layers: u32,
    out_lanes: u32,
    activation: u32,
    u: u32,
    u_dot: u32,
    b: u32,
    v_old: u32,
    v_new: u32,
    a_old: u32,
    a_new: u32,
    y_old: u32,
    y_new: u32,
    y: u32,
    y_dot: u32,
    beta: u32,
    active_mask: u32,
    solver: u32,
    r: u32,
    delta: u32,
    old_rate: u32,
    new_rate: u32,
    b_dot: u32,
    weights_move: u32,
    biases_move: u32,
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

@group(0) @binding(4) var<storage, read> matrices: array<f32>;
@group(0) @binding(5) var<storage, read_write> fields: array<f32>;
@group(0) @binding(6) var<storage, read_write> scratch: array<V>;
@group(0) @binding(7) var<storage, read> table: array<u32>;
@group(0) @binding(8) var<storage, read> slots: array<Slot>;

override EARLY: bool = false;

// Bits of the mode.
const SOLVE: u32 = 1u;
const SENSE: u32 = 2u;

var<workgroup> is_open: u32;

fn is_real(v: V) -> Flags { return (bitcast<Words>(v) & Words(0x7f800000u)) != Words(0x7f800000u); }

// r and rho' of a neuron; comparisons, since min and max would hide a NaN.
fn rate_of_neuron(u: V) -> V {
    if (params.activation == 1u) { return select(select(u, V(1.0), u > V(1.0)), V(0.0), u < V(0.0)); }
    if (params.activation == 2u) { return select(u, V(0.0), u <= V(0.0)); }
    return u;
}

fn slope_of_neuron(u: V) -> V {
    if (params.activation == 1u) {
        let inside = select(V(0.0), V(1.0), is_real(u));
        return select(select(inside, V(0.0), u > V(1.0)), V(0.0), u < V(0.0));
    }
    if (params.activation == 2u) { return select(V(1.0), V(0.0), u <= V(0.0)); }
    return V(1.0);
}

// r, rho' and delta from u, layer after layer.
fn sense(lane: u32, g: u32, now: Control, w: u32) {
    let before = 1.0 - now.ramp_prev;
    for (var l = 0u; l < params.layers; l = l + 1u) {
        let len = word(l, LEN);
        let start = word(l, START);
        if (l > 0u) { product(lane, g, transposed(l, w), word(l - 1u, LEN), Result(l, TO_DELTA, 0u), true); }
        for (var i = lane; i < len; i = i + LANES) {
            let u = take(params.u + start + i, params.n, g * GROUP);
            if (l == 0u) {
                let old = take(params.v_old + start + i, params.n, g * GROUP);
                let next = take(params.v_new + start + i, params.n, g * GROUP);
                let a = before * old + now.ramp_prev * next + V(state[params.b + start + i]);
                put_field(params.delta + i, params.free, g * GROUP, select(V(0.0), u - a, has_sample));
            }
            let r = rate_of_neuron(u);
            operand[i] = r;
            put_field(shared_field(params.r, l) + i, params.free, g * GROUP, r);
            scratch[field(g, D, l) + i] = slope_of_neuron(u);
        }
    }
}

fn beta_of(o: u32) -> f32 { return state[params.beta + control.beta_row * params.n_out + o]; }

// u*, its derivative and, as the start of the backward sweep, the nudging.
fn aim(lane: u32, g: u32) {
    let l = params.layers - 1u;
    let first = g * GROUP;
    for (var o = lane; o < params.n_out; o = o + LANES) {
        let old = take(params.y_old + o, params.n_out, first);
        let after = take(params.y_new + o, params.n_out, first);
        let last = take(params.y + o, params.n_out, first);
        let u = take(params.u + word(l, START) + o, params.n, first);
        let next = select(last, old + (after - old) * control.ramp, has_sample);
        let rate = (next - last) * params.inv_dt;
        put(params.y + o, params.n_out, first, next);
        put(params.y_dot + o, params.n_out, first, rate);
        scratch[field(g, Z, l) + o] = beta_of(o) * ((next - u) * params.inv_tau + rate);
        let wrong = select(V(1.0), V(0.0), is_real(next)) * select(V(0.0), V(1.0), has_sample);
        for (var k = 0u; k < GROUP; k = k + 1u) {
            if (one_of(wrong, k) != 0.0 && first + k < params.batch) {
                note(INPUT, params.batch, first + k, params.n + o, params.n);
            }
        }
    }
}

// W_dot r + W u_dot of the resident weights, which learn.
fn follow_input(g: u32, i: u32) -> V {
    let first = g * GROUP;
    let column = word(0u, START) + i;
    let slope = (control.ramp - control.ramp_prev) * params.inv_dt;
    let old = take(params.v_old + column, params.n, first);
    let after = take(params.v_new + column, params.n, first);
    let drive = slope * (after - old);
    let rate = control.rate_w * bitcast<f32>(word(0u, FACTOR));
    if (rate == 0.0) { return drive; }
    let before = 1.0 - control.ramp_prev;
    let now = control.ramp_prev;
    let old_rate = take_field(params.old_rate + i, word(0u, LEN), first);
    let new_rate = take_field(params.new_rate + i, word(0u, LEN), first);
    let delta = take_field(params.delta + i, params.free, first);
    put(params.v_old + column, params.n, first, old + params.dt * old_rate);
    put(params.v_new + column, params.n, first, after + params.dt * new_rate);
    let share = rate * params.dt;
    let a_old = take(params.a_old + column, params.n, first);
    let a_new = take(params.a_new + column, params.n, first);
    put(params.a_old + column, params.n, first, a_old + share * before * delta);
    put(params.a_new + column, params.n, first, a_new + share * now * delta);
    if (params.weights_move == 0u) { return drive; }
    return drive + (before * old_rate + now * new_rate);
}

// c = -delta / tau + b_dot + z, of the first layer with W_dot r + W u_dot.
fn assemble(lane: u32, g: u32) {
    let moves = params.biases_move != 0u && control.rate_b != 0.0;
    for (var l = 0u; l < params.layers; l = l + 1u) {
        for (var i = lane; i < word(l, LEN); i = i + LANES) {
            let delta = take_field(shared_field(params.delta, l) + i, params.free, g * GROUP);
            var c = scratch[field(g, Z, l) + i] - delta * params.inv_tau;
            if (moves) { c = c + V(fields[params.b_dot + word(l, FIRST) + i]); }
            if (l == 0u) { c = c + follow_input(g, i); }
            scratch[field(g, RATE, l) + i] = c;
        }
    }
}

// What is booked of the iterations of a step.
struct Book {
    norm2: V,
    threshold2: V,
    count: V,
    bent: V,
}

// Conjugate gradients over the outputs.
fn iterate(lane: u32, g: u32, w: u32) -> Book {
    let out = params.layers - 1u;
    let rate = field(g, RATE, out);
    let way = field(g, WAY, out);
    let res = field(g, RES, out);
    let dir = field(g, DIR, out);
    var sum = V(0.0);
    for (var o = lane; o < params.n_out; o = o + LANES) {
        let now = sqrt(beta_of(o)) * scratch[rate + o];
        scratch[res + o] = now;
        scratch[dir + o] = now;
        sum = sum + now * now;
    }
    var norm2 = total(lane, sum);
    let threshold2 = params.tol2 * norm2;
    var count = V(0.0);
    var bent = V(0.0);
    for (var k = 0u; k < control.iterations; k = k + 1u) {
        let on = has_sample & (norm2 > threshold2);
        let open = some(on);
        if (EARLY) {
            if (lane == 0u) { is_open = u32(open); }
            if (workgroupUniformLoad(&is_open) == 0u) { break; }
        }
        for (var o = lane; o < params.n_out; o = o + LANES) { scratch[way + o] = sqrt(beta_of(o)) * scratch[dir + o]; }
        sweep_back(lane, g, WAY, w, false, open);
        sweep_forward(lane, g, WAY, w, false, open);
        sum = V(0.0);
        for (var o = lane; o < params.n_out; o = o + LANES) {
            let p = scratch[dir + o];
            sum = sum + p * (p + sqrt(beta_of(o)) * scratch[way + o]);
        }
        let curved = total(lane, sum);
        count = count + select(V(0.0), V(1.0), on);
        bent = select(bent, V(1.0), on & (curved <= V(0.0)));
        let good = on & (curved != V(0.0));
        let alpha = select(V(0.0), norm2 / select(V(1.0), curved, good), good);
        sum = V(0.0);
        for (var o = lane; o < params.n_out; o = o + LANES) {
            let p = scratch[dir + o];
            let next = scratch[res + o] - alpha * (p + sqrt(beta_of(o)) * scratch[way + o]);
            scratch[res + o] = select(scratch[res + o], next, on);
            sum = sum + next * next;
        }
        let next2 = total(lane, sum);
        let gain = next2 / select(V(1.0), norm2, on);
        for (var o = lane; o < params.n_out; o = o + LANES) {
            let p = scratch[dir + o];
            scratch[dir + o] = select(p, scratch[res + o] + gain * p, on);
        }
        norm2 = select(norm2, next2, on);
        if (open) { descend(lane, g, alpha, on); }
    }
    return Book(norm2, threshold2, count, bent);
}

// u_dot <- u_dot - alpha z.
fn descend(lane: u32, g: u32, alpha: V, on: Flags) {
    for (var l = 0u; l < params.layers; l = l + 1u) {
        for (var i = lane; i < word(l, LEN); i = i + LANES) {
            let at = field(g, RATE, l) + i;
            let last = scratch[at];
            scratch[at] = select(last, last - alpha * scratch[field(g, WAY, l) + i], on);
        }
    }
}

// As cg_finish.wgsl, of one trajectory.
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

// Voltages of a neuron that are not finite, or too large.
fn check(first: u32, neuron: u32, u: V, wrong: Flags) {
    let flags = select(V(0.0), V(1.0), wrong);
    for (var k = 0u; k < GROUP; k = k + 1u) {
        if (one_of(flags, k) != 0.0 && first + k < params.batch) {
            note(select(STATE, LIMIT, is_finite(one_of(u, k))), params.batch, first + k, neuron, params.n);
        }
    }
}

// u <- u + dt u_dot; u_dot of trajectories without a sample is 0.
fn advance(lane: u32, g: u32) {
    for (var l = 0u; l < params.layers; l = l + 1u) {
        let start = word(l, START);
        for (var i = lane; i < word(l, LEN); i = i + LANES) {
            let rate = select(V(0.0), scratch[field(g, RATE, l) + i], has_sample);
            let u = take(params.u + start + i, params.n, g * GROUP) + params.dt * rate;
            put(params.u_dot + start + i, params.n, g * GROUP, rate);
            put(params.u + start + i, params.n, g * GROUP, u);
            let sound = is_real(u) & (abs(u) <= V(params.u_limit));
            let wrong = has_sample & !sound;
            if (some(wrong)) { check(g * GROUP, start + i, u, wrong); }
        }
    }
}

fn solve(lane: u32, g: u32, w: u32) {
    let rates = params.weights_move != 0u && control.rate_w != 0.0;
    aim(lane, g);
    sweep_back(lane, g, Z, w, rates, true);
    assemble(lane, g);
    sweep_forward(lane, g, RATE, w, rates, true);
    let book = iterate(lane, g, w);
    for (var k = lane; k < GROUP; k = k + LANES) {
        if (g * GROUP + k < params.batch) {
            keep(g * GROUP + k, one_of(book.norm2, k), one_of(book.threshold2, k), one_of(book.count, k), one_of(book.bent, k));
        }
    }
    advance(lane, g);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let g = group.x;
    has_sample = take(params.active_mask, 1u, g * GROUP) != V(0.0);
    if ((params.mode & SOLVE) != 0u) { solve(lane, g, control.steps & 1u); }
    if ((params.mode & SENSE) != 0u) {
        if ((params.mode & SOLVE) != 0u) {
            sense(lane, g, slots[control.slot + 1u].control, control.steps / 2u);
        } else {
            sense(lane, g, control, control.steps & 1u);
        }
    }
}
