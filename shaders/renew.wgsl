// Takes the next values: old <- new <- next. Inactive trajectories hold both.
//
// next, old, new_values: [batch, width]; active: [batch].
// One invocation an element.

struct Params {
    next: u32,
    active_mask: u32,
    old: u32,
    new_values: u32,
    width: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.width) { return; }
    if (state[params.active_mask + id.y] == 0.0) { return; }
    let i = id.y * params.width + id.x;
    state[params.old + i] = state[params.new_values + i];
    state[params.new_values + i] = state[params.next + i];
}
