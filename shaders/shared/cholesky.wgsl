// Cholesky factorisation and triangular solves in `state` by one workgroup of LANES invocations (LANES comes from reduce.wgsl).
//
// Right-looking: each column updates all later ones, so that every element has its subtractions in ascending order.
// Where there is nothing to do, loops over elements have length 0 and barriers are met all the same: some compilers refuse barriers
// that depend on data.

var<workgroup> is_positive: u32;

// Factor of the size x size matrix at `h` in its lower triangle; false if a pivot is not positive.
fn factorise(lane: u32, h: u32, size: u32) -> bool {
    if (lane == 0u) { is_positive = 1u; }
    for (var k = 0u; k < size; k = k + 1u) {
        if (lane == 0u && is_positive != 0u) {
            let pivot = state[h + k * size + k];
            if (pivot > 0.0 && is_finite(pivot)) {
                state[h + k * size + k] = sqrt(pivot);
            } else {
                is_positive = 0u;
            }
        }
        storageBarrier();
        workgroupBarrier();
        let end = select(k + 1u, size, is_positive != 0u);
        let pivot = state[h + k * size + k];
        for (var i = k + 1u + lane; i < end; i = i + LANES) {
            state[h + i * size + k] = state[h + i * size + k] / pivot;
        }
        storageBarrier();
        let rest = end - k - 1u;
        for (var e = lane; e < rest * rest; e = e + LANES) {
            let i = k + 1u + e / rest;
            let j = k + 1u + e % rest;
            if (j <= i) {
                state[h + i * size + j] = state[h + i * size + j] - state[h + i * size + k] * state[h + j * size + k];
            }
        }
        storageBarrier();
        workgroupBarrier();
    }
    workgroupBarrier();
    return is_positive != 0u;
}

// Solves with the factor at `h` for the vector at `x`, in place; nothing where `wanted` is false.
fn solve_factorised(lane: u32, h: u32, x: u32, size: u32, wanted: bool) {
    for (var k = 0u; k < size; k = k + 1u) {
        if (lane == 0u && wanted) { state[x + k] = state[x + k] / state[h + k * size + k]; }
        storageBarrier();
        let end = select(0u, size, wanted);
        for (var i = k + 1u + lane; i < end; i = i + LANES) {
            state[x + i] = state[x + i] - state[h + i * size + k] * state[x + k];
        }
        storageBarrier();
    }
    for (var back = 0u; back < size; back = back + 1u) {
        let k = size - 1u - back;
        if (lane == 0u && wanted) { state[x + k] = state[x + k] / state[h + k * size + k]; }
        storageBarrier();
        let end = select(0u, k, wanted);
        for (var i = lane; i < end; i = i + LANES) {
            state[x + i] = state[x + i] - state[h + k * size + i] * state[x + k];
        }
        storageBarrier();
    }
}
