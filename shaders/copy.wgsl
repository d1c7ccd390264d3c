// dst <- src on a range of columns; without a source, zeros.
//
// src (or absent): [rows, src_width], from column src_start on; dst: [rows, dst_width], from dst_start on; len columns.
// One invocation an element.

struct Params {
    src: u32,
    src_width: u32,
    src_start: u32,
    dst: u32,
    dst_width: u32,
    dst_start: u32,
    len: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    var v = 0.0;
    if (params.src != NONE) {
        v = state[params.src + id.y * params.src_width + params.src_start + id.x];
    }
    state[params.dst + id.y * params.dst_width + params.dst_start + id.x] = v;
}
