// dst <- 0 in the rows of trajectories without a sample: they hold their state.
//
// dst: [batch, n] row-major, columns start .. start + len; active: [batch]. One invocation an element.

struct Params {
    dst: u32,
    active_mask: u32,
    n: u32,
    start: u32,
    len: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len || state[params.active_mask + id.y] != 0.0) { return; }
    state[params.dst + id.y * params.n + params.start + id.x] = 0.0;
}
