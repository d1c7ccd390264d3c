// z = C y, C = diag(beta) - diag(rho'' (W^T delta)): what distinguishes H from J^T J (model, section 2).
//
// y, bend = rho'' (W^T delta) (or absent), z: [batch, n] row-major, columns start .. start + len; beta: [rows, n_out].
// One invocation a neuron and trajectory.

struct Params {
    y: u32,
    bend: u32,
    beta: u32,
    z: u32,
    n: u32,
    start: u32,
    len: u32,
    out_start: u32,
    n_out: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let column = params.start + id.x;
    let i = id.y * params.n + column;
    let y = state[params.y + i];
    var z = 0.0;
    if (params.bend != NONE) {
        z = -state[params.bend + i] * y;
    }
    if (column >= params.out_start && column < params.out_start + params.n_out) {
        let beta = state[params.beta + control.beta_row * params.n_out + column - params.out_start];
        // An output with beta = infinity is no unknown.
        if (is_finite(beta)) { z = z + beta * y; } else { z = 0.0; }
    }
    state[params.z + i] = z;
}
