// Dense solution of H u_dot = rhs, H = J^T J + C, C = diag(beta) - diag(rho'' (W^T delta)), per trajectory (small networks).
//
// jac = J: [batch, rows * len]; h: [batch, len * (len + 1)], the matrix and then the right-hand side; rhs, bend = rho'' (W^T delta) (or
// absent), u_dot: [batch, n], free columns start .. start + len; beta: [rows, n_out]; solver: [batch, 9].
// Cholesky first; if it fails, H is not positive definite: that is counted, and the system is solved by elimination with row pivoting.
// fallback = 1: trajectories with a positive definite H keep the u_dot they have.
// One workgroup of 256 a trajectory, matrices in `state`: 192 neurons do not fit into workgroup memory. Every loop runs over elements
// dealt to the invocations, which stays below the loop limit of software adapters.

struct Params {
    fallback: u32,
    jac: u32,
    h: u32,
    rhs: u32,
    bend: u32,
    beta: u32,
    u_dot: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
    rows: u32,
    triangular: u32,
    out_start: u32,
    n_out: u32,
}

var<workgroup> lane_rows: array<u32, LANES>;

// The diagonal of C.
fn bent(trajectory: u32, k: u32) -> f32 {
    let column = params.start + k;
    let i = trajectory * params.n + column;
    var v = 0.0;
    if (column >= params.out_start && column < params.out_start + params.n_out) {
        v = state[params.beta + control.beta_row * params.n_out + column - params.out_start];
        if (!is_finite(v)) { return 0.0; }
    }
    if (params.bend != NONE) {
        v = v - state[params.bend + i];
    }
    return v;
}

// Whether the voltage of a free neuron is prescribed (beta = infinity): its row and column leave the system.
fn pinned(k: u32) -> bool {
    let column = params.start + k;
    if (column < params.out_start || column >= params.out_start + params.n_out) { return false; }
    return !is_finite(state[params.beta + control.beta_row * params.n_out + column - params.out_start]);
}

// H (both triangles) and the right-hand side, where wanted. Where J is unit lower triangular by blocks, rows above max(i, j) do not
// contribute.
fn fill(trajectory: u32, lane: u32, h: u32, wanted: bool) {
    let size = params.len;
    let end = select(0u, size, wanted);
    let jac = params.jac + trajectory * params.rows * size;
    for (var e = lane; e < end * end; e = e + LANES) {
        let i = e / size;
        let j = e % size;
        var sum = 0.0;
        for (var k = select(0u, max(i, j), params.triangular != 0u); k < params.rows; k = k + 1u) {
            sum = sum + state[jac + k * size + i] * state[jac + k * size + j];
        }
        if (i == j) { sum = sum + bent(trajectory, i); }
        if (pinned(i) || pinned(j)) { sum = select(0.0, 1.0, i == j); }
        state[h + e] = sum;
    }
    for (var i = lane; i < end; i = i + LANES) {
        var rhs = state[params.rhs + trajectory * params.n + params.start + i];
        if (pinned(i)) { rhs = 0.0; }
        state[h + size * size + i] = rhs;
    }
    storageBarrier();
}

// The row from `k` to `last` with the largest |h| in column k; the first of equals.
fn pivot_row(lane: u32, h: u32, k: u32, last: u32) -> u32 {
    let size = params.len;
    var best = k;
    var most = -1.0;
    for (var i = k + lane; i < last; i = i + LANES) {
        let v = abs(state[h + i * size + k]);
        if (v > most) {
            most = v;
            best = i;
        }
    }
    lane_values[lane] = most;
    lane_rows[lane] = best;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half = half / 2u) {
        if (lane < half) {
            let other = lane_values[lane + half];
            let mine = lane_values[lane];
            if (other > mine || (other == mine && lane_rows[lane + half] < lane_rows[lane])) {
                lane_values[lane] = other;
                lane_rows[lane] = lane_rows[lane + half];
            }
        }
        workgroupBarrier();
    }
    let found = lane_rows[0];
    workgroupBarrier();
    return found;
}

// Gaussian elimination with row pivoting of the matrix at `h` for the vector at `x`; nothing where `wanted` is false.
fn eliminate(lane: u32, h: u32, x: u32, size: u32, wanted: bool) {
    let last = select(0u, size, wanted);
    for (var k = 0u; k < size; k = k + 1u) {
        let best = pivot_row(lane, h, k, last);
        if (best != k && wanted) {
            for (var j = lane; j < size; j = j + LANES) {
                let v = state[h + k * size + j];
                state[h + k * size + j] = state[h + best * size + j];
                state[h + best * size + j] = v;
            }
            if (lane == 0u) {
                let v = state[x + k];
                state[x + k] = state[x + best];
                state[x + best] = v;
            }
        }
        storageBarrier();
        // Factors stay in column k, which is not read again.
        for (var i = k + 1u + lane; i < last; i = i + LANES) {
            let factor = state[h + i * size + k] / state[h + k * size + k];
            state[h + i * size + k] = factor;
            state[x + i] = state[x + i] - factor * state[x + k];
        }
        storageBarrier();
        let rest = select(0u, size - k - 1u, wanted);
        for (var e = lane; e < rest * rest; e = e + LANES) {
            let i = k + 1u + e / rest;
            let j = k + 1u + e % rest;
            state[h + i * size + j] = state[h + i * size + j] - state[h + i * size + k] * state[h + k * size + j];
        }
        storageBarrier();
    }
    for (var back = 0u; back < size; back = back + 1u) {
        let k = size - 1u - back;
        if (lane == 0u && wanted) { state[x + k] = state[x + k] / state[h + k * size + k]; }
        storageBarrier();
        let end = select(0u, k, wanted);
        for (var i = lane; i < end; i = i + LANES) {
            state[x + i] = state[x + i] - state[h + i * size + k] * state[x + k];
        }
        storageBarrier();
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let size = params.len;
    let h = params.h + group.x * size * (size + 1u);
    let x = h + size * size;
    fill(group.x, lane, h, true);
    let sound = factorise(lane, h, size);
    solve_factorised(lane, h, x, size, sound && params.fallback == 0u);
    if (lane == 0u && !sound) {
        state[params.solver + group.x * SOLVER_LEN + BENT] = 1.0;
    }
    fill(group.x, lane, h, !sound);
    eliminate(lane, h, x, size, !sound);
    if (sound && params.fallback != 0u) { return; }
    for (var i = lane; i < size; i = i + LANES) {
        state[params.u_dot + group.x * params.n + params.start + i] = state[x + i];
    }
    // Solved, whatever an iteration before has left.
    if (lane == 0u) { state[params.solver + group.x * SOLVER_LEN + RESIDUAL2] = 0.0; }
}
