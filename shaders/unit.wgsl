// m = sqrt(beta_o) in the column of output o, 0 in the other free columns: start of row o of sqrt(beta) M (Woodbury).
//
// m: [batch, n] row-major, columns start .. start + len; beta: [rows, n_out]. One invocation a neuron and trajectory.

struct Params {
    m: u32,
    beta: u32,
    n: u32,
    start: u32,
    len: u32,
    output: u32,
    out_start: u32,
    n_out: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let column = params.start + id.x;
    var v = 0.0;
    if (column == params.out_start + params.output) {
        v = sqrt(state[params.beta + control.beta_row * params.n_out + params.output]);
    }
    state[params.m + id.y * params.n + column] = v;
}
