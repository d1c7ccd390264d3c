// Product against a projection: out_pre = base + scale * gate * (W^T x_post), for all trajectories.
//
// As a matrix product: rows = trajectories, columns = presynaptic neurons, depth = postsynaptic neurons.
// w: [post_len, pre_len] row-major; x: [batch, x_n] row-major, columns post_start .. ; gate (GATED), base (or absent), out: [batch, n] row-major,
// columns pre_start .. ; x and out may be the same buffer: their columns are disjoint. How a tile is computed stands in shared/tile_*.wgsl.

struct Params {
    x: u32,
    gate: u32,
    base: u32,
    out: u32,
    batch: u32,
    n: u32,
    x_n: u32,
    pre_start: u32,
    pre_len: u32,
    post_start: u32,
    post_len: u32,
    scale: f32,
}

@group(0) @binding(3) var<storage, read> w: array<f32>;

override GATED: bool = false;

// Neighbours in depth are neighbours in memory in x; in w, neighbouring columns are.
const A_ALONG_DEPTH: bool = true;
const B_ALONG_DEPTH: bool = false;

fn row_count() -> u32 { return params.batch; }
fn column_count() -> u32 { return params.pre_len; }
fn depth() -> u32 { return params.post_len; }

fn a_index(row: u32) -> u32 { return row * params.x_n + params.post_start; }
fn a_step() -> u32 { return 1u; }
fn read_a(i: u32) -> f32 { return state[params.x + i]; }

fn b_index(column: u32) -> u32 { return column; }
fn b_step() -> u32 { return params.pre_len; }
fn read_b(i: u32) -> f32 { return w[i]; }

fn finish(row: u32, column: u32, sum: f32) {
    let i = row * params.n + params.pre_start + column;
    var v = params.scale * sum;
    if (GATED) { v = state[params.gate + i] * v; }
    if (params.base != NONE) { v = state[params.base + i] + v; }
    state[params.out + i] = v;
}
