// One block of J = 1 - W D per trajectory: without w the identity, then each block is subtracted.
//
// w: [post_len, pre_len]; d = rho'(u): [batch, n]; jac: [batch, rows * free] row-major, free neurons from column
// `start` on, rows for the neurons from `row_start` on.
// One invocation an element and trajectory.

struct Params {
    identity: u32,
    d: u32,
    jac: u32,
    n: u32,
    start: u32,
    free: u32,
    row_start: u32,
    rows: u32,
    pre_start: u32,
    pre_len: u32,
    post_start: u32,
    post_len: u32,
}

@group(0) @binding(3) var<storage, read> w: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let jac = params.jac + id.z * params.rows * params.free;
    if (params.identity != 0u) {
        if (id.x >= params.free) { return; }
        state[jac + id.y * params.free + id.x] = select(0.0, 1.0, params.start + id.x == params.row_start + id.y);
        return;
    }
    if (id.x >= params.pre_len) { return; }
    let row = params.post_start - params.row_start + id.y;
    let column = params.pre_start - params.start + id.x;
    let gate = state[params.d + id.z * params.n + params.pre_start + id.x];
    let i = jac + row * params.free + column;
    state[i] = state[i] - w[id.y * params.pre_len + id.x] * gate;
}
