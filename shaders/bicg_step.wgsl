// Half an iteration of BiCGStab, after the operator has been applied to the swept direction or to the swept residual.
//
// first = 1, y = L^-1 p and q = A p: alpha = rho / shadow.q, u_dot += alpha y, res -= alpha q, y = res. first = 0, y = L^-1 res and
// z = A res: omega = z.res / z.z, u_dot += omega y, res -= omega z, y = p = res + gain (p - omega q). Where a denominator vanishes but for
// rounding, the iteration starts anew from the present residual: p = shadow = res. A converged trajectory changes nothing.
// u_dot, q, z, res, shadow, p, y: [batch, n] row-major, columns start .. start + len; scalars: [batch, 2] = (rho, alpha); solver: [batch, 9].
// One workgroup a trajectory. A lane meets the same columns in every pass. A converged trajectory runs loops of length 0 and not an
// early return: some compilers refuse barriers after one.

struct Params {
    first: u32,
    u_dot: u32,
    q: u32,
    z: u32,
    res: u32,
    shadow: u32,
    p: u32,
    y: u32,
    scalars: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
}

// Cosine below which two vectors count as orthogonal: four times the distance from 1 to the next number.
const ORTHOGONAL: f32 = 4.7683716e-7;

fn is_orthogonal(product: f32, square: f32, other: f32) -> bool {
    return abs(product) <= ORTHOGONAL * (sqrt(square) * sqrt(other));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let book = params.solver + group.x * SOLVER_LEN;
    let scalars = params.scalars + 2u * group.x;
    let rho = state[scalars];
    let alpha_before = state[scalars + 1u];
    // Not `>`: a NaN stays open, as it does on the processor.
    let is_converged = state[book + RESIDUAL2] <= state[book + THRESHOLD2];
    let len = select(params.len, 0u, is_converged);
    let row = group.x * params.n + params.start;
    let is_first = params.first != 0u;
    let image = select(params.z, params.q, is_first);
    let other = select(params.res, params.shadow, is_first);
    var sum_product = 0.0;
    var sum_image = 0.0;
    var sum_shadow = 0.0;
    for (var k = lane; k < len; k = k + LANES) {
        let i = row + k;
        let w = state[image + i];
        let s = state[params.shadow + i];
        sum_product = sum_product + state[other + i] * w;
        sum_image = sum_image + w * w;
        sum_shadow = sum_shadow + s * s;
    }
    let product = total(lane, sum_product);
    let image2 = total(lane, sum_image);
    let shadow2 = total(lane, sum_shadow);
    var length = 0.0;
    if (is_first) {
        if (!is_orthogonal(product, shadow2, image2)) { length = rho / product; }
    } else {
        if (image2 != 0.0) { length = product / image2; }
    }
    var sum = 0.0;
    var sum_next = 0.0;
    for (var k = lane; k < len; k = k + LANES) {
        let i = row + k;
        state[params.u_dot + i] = state[params.u_dot + i] + length * state[params.y + i];
        let res = state[params.res + i] - length * state[image + i];
        state[params.res + i] = res;
        if (is_first) { state[params.y + i] = res; }
        sum = sum + res * res;
        sum_next = sum_next + res * state[params.shadow + i];
    }
    let norm2 = total(lane, sum);
    let next = total(lane, sum_next);
    let is_anew = alpha_before == 0.0 || length == 0.0 || rho == 0.0 || is_orthogonal(next, shadow2, norm2);
    var gain = 0.0;
    if (!is_anew) { gain = next / rho * (alpha_before / length); }
    let rest = select(len, 0u, is_first);
    for (var k = lane; k < rest; k = k + LANES) {
        let i = row + k;
        var p = state[params.res + i];
        if (is_anew) {
            state[params.shadow + i] = p;
        } else {
            p = p + gain * (state[params.p + i] - length * state[params.q + i]);
        }
        state[params.p + i] = p;
        state[params.y + i] = p;
    }
    if (lane == 0u && !is_converged) {
        state[book + RESIDUAL2] = norm2;
        if (is_first) {
            state[book + ITERATIONS] = state[book + ITERATIONS] + 1.0;
            state[scalars + 1u] = length;
        } else {
            state[scalars] = select(next, norm2, is_anew);
        }
    }
}
