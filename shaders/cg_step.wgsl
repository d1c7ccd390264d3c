// One update of the conjugate gradients after the two sweeps of an iteration.
//
// q = p + h with h = z (full space) or sqrt(beta) z on the outputs (output space); alpha = |res|^2 / p.q; u_dot += alpha y (full) or
// u_dot -= alpha z (output); res -= alpha q; p = res + gain p. A converged trajectory changes nothing; p.q <= 0 is counted.
// u_dot, z, y, p, res: [batch, n] row-major, columns start .. start + len; beta: [rows, n_out]; solver: [batch, 9].
// One workgroup a trajectory: both reductions and all updates in one dispatch. A lane meets the same columns in every pass, so that
// no barrier is needed but those of the sums. The outputs are the last columns. A converged trajectory runs loops of length 0 and not an
// early return: some compilers refuse barriers after one.

struct Params {
    output_space: u32,
    u_dot: u32,
    z: u32,
    y: u32,
    p: u32,
    res: u32,
    beta: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
}

fn root_beta(column: u32) -> f32 {
    return sqrt(state[params.beta + control.beta_row * params.n_out + column - params.out_start]);
}

// h of a column that takes part in the iteration.
fn image(column: u32, i: u32) -> f32 {
    let z = state[params.z + i];
    if (params.output_space == 0u) { return z; }
    return root_beta(column) * z;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let book = params.solver + group.x * SOLVER_LEN;
    let norm2 = state[book + RESIDUAL2];
    // Not `>`: a NaN stays open, as it does on the processor.
    let is_converged = norm2 <= state[book + THRESHOLD2];
    let len = select(params.len, 0u, is_converged);
    let row = group.x * params.n;
    let full = params.output_space == 0u;
    let first = select(params.out_start, params.start, full);
    var sum = 0.0;
    for (var k = lane; k < len; k = k + LANES) {
        let column = params.start + k;
        let i = row + column;
        if (column >= first) {
            let p = state[params.p + i];
            sum = sum + p * (p + image(column, i));
        }
    }
    let pq = total(lane, sum);
    var alpha = 0.0;
    if (pq != 0.0) { alpha = norm2 / pq; }
    sum = 0.0;
    for (var k = lane; k < len; k = k + LANES) {
        let column = params.start + k;
        let i = row + column;
        if (full) {
            state[params.u_dot + i] = state[params.u_dot + i] + alpha * state[params.y + i];
        } else {
            state[params.u_dot + i] = state[params.u_dot + i] - alpha * state[params.z + i];
        }
        if (column >= first) {
            let res = state[params.res + i] - alpha * (state[params.p + i] + image(column, i));
            state[params.res + i] = res;
            sum = sum + res * res;
        }
    }
    let next2 = total(lane, sum);
    let gain = next2 / norm2;
    for (var k = lane; k < len; k = k + LANES) {
        let column = params.start + k;
        let i = row + column;
        if (column < first) {
            state[params.z + i] = 0.0;
        } else {
            let p = state[params.res + i] + gain * state[params.p + i];
            state[params.p + i] = p;
            if (full) {
                state[params.y + i] = p;
            } else {
                state[params.z + i] = root_beta(column) * p;
            }
        }
    }
    if (lane == 0u && !is_converged) {
        state[book + ITERATIONS] = state[book + ITERATIONS] + 1.0;
        if (pq <= 0.0) {
            state[book + BENT] = 1.0;
        }
        state[book + RESIDUAL2] = next2;
    }
}
