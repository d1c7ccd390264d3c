// u_dot <- c - sum_o w_o m_o with (1 + m m^T) w = m c: the exact inverse of identity plus rank n_out (rho'' = 0).
//
// m_o: [batch, n] row-major at params.first + o * params.stride, free columns start .. start + len; u_dot (in: c): [batch, n];
// k: [batch, n_out * (n_out + 1)], the matrix and then the right-hand side.
// One workgroup a trajectory. An invocation sums whole entries of m m^T in ascending order; the Cholesky factorisation is right-looking, so
// that an invocation loops over elements and not over sums: n_out^3 / (3 LANES) iterations, which keeps it below the loop limit of
// software adapters.

struct Params {
    first: u32,
    stride: u32,
    k: u32,
    u_dot: u32,
    n: u32,
    start: u32,
    len: u32,
    n_out: u32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let size = params.n_out;
    let row = group.x * params.n + params.start;
    let k = params.k + group.x * size * (size + 1u);
    let w = k + size * size;
    // Entries of the lower triangle, then the right-hand side as row `size`.
    for (var e = lane; e < size * (size + 1u); e = e + LANES) {
        let i = e / size;
        let j = e % size;
        if (i == size || j <= i) {
            let b = params.first + j * params.stride + row;
            var a = params.u_dot + row;
            if (i < size) { a = params.first + i * params.stride + row; }
            var sum = select(0.0, 1.0, i == j);
            for (var c = 0u; c < params.len; c = c + 1u) {
                sum = sum + state[a + c] * state[b + c];
            }
            state[k + e] = sum;
        }
    }
    storageBarrier();
    // 1 + m m^T is positive definite whatever m is.
    let sound = factorise(lane, k, size);
    solve_factorised(lane, k, w, size, sound);
    for (var c = lane; c < params.len; c = c + LANES) {
        var v = state[params.u_dot + row + c];
        for (var o = 0u; o < size; o = o + 1u) {
            v = v - state[w + o] * state[params.first + o * params.stride + row + c];
        }
        state[params.u_dot + row + c] = v;
    }
}
