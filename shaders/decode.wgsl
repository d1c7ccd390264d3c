// Takes the next static sample: x_old <- x_new <- pixel_table[pixels]; y_old <- y_new <- label_table[label == o]. Inactive trajectories hold all.
//
// pixels: bytes [batch, n_in], labels: bytes [batch], four to a word, lowest first; pixel_table: [256]; label_table: [2];
// x_old, x_new: [batch, n_in]; y_old, y_new: [batch, n_out]; active: [batch].
// One invocation an input or output of a trajectory: inputs first, then outputs.

struct Params {
    pixel_table: u32,
    label_table: u32,
    active_mask: u32,
    x_old: u32,
    x_new: u32,
    y_old: u32,
    y_new: u32,
    n_in: u32,
    n_out: u32,
}

@group(0) @binding(3) var<storage, read> pixels: array<u32>;
@group(0) @binding(4) var<storage, read> labels: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.n_in + params.n_out) { return; }
    if (state[params.active_mask + id.y] == 0.0) { return; }
    if (id.x < params.n_in) {
        let i = id.y * params.n_in + id.x;
        let byte = (pixels[i / 4u] >> (8u * (i % 4u))) & 0xffu;
        state[params.x_old + i] = state[params.x_new + i];
        state[params.x_new + i] = state[params.pixel_table + byte];
    } else {
        let o = id.x - params.n_in;
        let i = id.y * params.n_out + o;
        let byte = (labels[id.y / 4u] >> (8u * (id.y % 4u))) & 0xffu;
        state[params.y_old + i] = state[params.y_new + i];
        state[params.y_new + i] = state[params.label_table + select(0u, 1u, o == byte)];
    }
}
