// Overlaps of trajectories on some columns: out[b', b] = sum_j x[b', j] x[b, j].
//
// x: [batch, n] row-major, columns start .. start + len; out: [batch, batch] row-major.
// One workgroup a pair of trajectories: there are few of them and many columns. Lanes stride over the columns, then sum in a tree.

struct Params {
    x: u32,
    out: u32,
    batch: u32,
    n: u32,
    start: u32,
    len: u32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let mine = params.x + group.y * params.n + params.start;
    let other = params.x + group.x * params.n + params.start;
    var sum = 0.0;
    for (var k = lane; k < params.len; k = k + LANES) {
        sum = sum + state[mine + k] * state[other + k];
    }
    let all = total(lane, sum);
    if (lane == 0u) { state[params.out + group.y * params.batch + group.x] = all; }
}
