// Brings the weights of a layered network in before a run of steps (back = 0), W and W transposed, and back after it: those of the step after the
// last one. Between the two `layered_learn.wgsl` moves them. A kernel of its own, since software adapters run through all branches.
//
// Jobs are the layers from the second on; their numbers of workgroups stand in the table behind the jobs of learning.

struct Params {
    back: u32,
    layers: u32,
    jobs: u32,
}

@group(0) @binding(3) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> matrices: array<f32>;
@group(0) @binding(5) var<storage, read> table: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var number = group.x;
    var l = 1u;
    while (l + 1u < params.layers && number >= table[params.jobs + l - 1u]) {
        number = number - table[params.jobs + l - 1u];
        l = l + 1u;
    }
    let width = word(l - 1u, LEN);
    let height = word(l, LEN);
    let i = number * 64u + lane;
    if (i >= width * height) { return; }
    let at = word(l, WEIGHTS) + i;
    if (params.back != 0u) {
        weights[at] = matrices[matrix(l, control.steps / 2u) + i];
    } else {
        let v = weights[at];
        matrices[matrix(l, control.steps & 1u) + i] = v;
        matrices[transposed(l, control.steps & 1u) + (i % width) * height + i / width] = v;
    }
}
