// Cholesky factorisation and triangular solves in `state` by one workgroup of LANES invocations (LANES comes from reduce.wgsl).
//
// Right-looking: each column updates all later ones, so that every element has its subtractions in ascending order.

var<workgroup> is_positive: u32;

// Factor of the size x size matrix at `h` in its lower triangle; false if a pivot is not positive.
fn factorise(lane: u32, h: u32, size: u32) -> bool {
    for (var k = 0u; k < size; k = k + 1u) {
        if (lane == 0u) {
            let pivot = state[h + k * size + k];
            is_positive = select(0u, 1u, pivot > 0.0 && is_finite(pivot));
            if (pivot > 0.0) { state[h + k * size + k] = sqrt(pivot); }
        }
        storageBarrier();
        if (workgroupUniformLoad(&is_positive) == 0u) { return false; }
        let pivot = state[h + k * size + k];
        for (var i = k + 1u + lane; i < size; i = i + LANES) {
            state[h + i * size + k] = state[h + i * size + k] / pivot;
        }
        storageBarrier();
        let rest = size - k - 1u;
        for (var e = lane; e < rest * rest; e = e + LANES) {
            let i = k + 1u + e / rest;
            let j = k + 1u + e % rest;
            if (j <= i) {
                state[h + i * size + j] = state[h + i * size + j] - state[h + i * size + k] * state[h + j * size + k];
            }
        }
        storageBarrier();
    }
    return true;
}

// Solves with the factor at `h` for the vector at `x`, in place.
fn solve_factorised(lane: u32, h: u32, x: u32, size: u32) {
    for (var k = 0u; k < size; k = k + 1u) {
        if (lane == 0u) { state[x + k] = state[x + k] / state[h + k * size + k]; }
        storageBarrier();
        for (var i = k + 1u + lane; i < size; i = i + LANES) {
            state[x + i] = state[x + i] - state[h + i * size + k] * state[x + k];
        }
        storageBarrier();
    }
    for (var back = 0u; back < size; back = back + 1u) {
        let k = size - 1u - back;
        if (lane == 0u) { state[x + k] = state[x + k] / state[h + k * size + k]; }
        storageBarrier();
        for (var i = lane; i < k; i = i + LANES) {
            state[x + i] = state[x + i] - state[h + k * size + i] * state[x + k];
        }
        storageBarrier();
    }
}
