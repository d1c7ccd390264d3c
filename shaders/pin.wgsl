// dst <- keep dst + scale src at the outputs with beta = infinity, whose voltages are prescribed (model, section 2: beta -> infinity).
//
// dst: [batch, n] row-major, columns out_start .. out_start + n_out; src (or absent): [batch, src_n], from column src_start on;
// beta: [rows, n_out]. One invocation an output and trajectory.

struct Params {
    beta: u32,
    dst: u32,
    src: u32,
    n: u32,
    src_n: u32,
    src_start: u32,
    out_start: u32,
    n_out: u32,
    keep: f32,
    scale: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.n_out) { return; }
    if (is_finite(state[params.beta + control.beta_row * params.n_out + id.x])) { return; }
    let to = params.dst + id.y * params.n + params.out_start + id.x;
    var v = 0.0;
    if (params.src != NONE) {
        v = params.scale * state[params.src + id.y * params.src_n + params.src_start + id.x];
    }
    if (params.keep != 0.0) {
        v = v + params.keep * state[to];
    }
    state[to] = v;
}
