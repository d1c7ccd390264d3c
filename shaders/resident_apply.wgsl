// The one update of a resident projection at the end of a presentation: W += a_old^T r_old + a_new^T r_new, rank 2 batch.
//
// As a matrix product: rows = postsynaptic neurons, columns = presynaptic neurons, depth = trajectories with their old, then with
// their new pattern, in ascending order. a_old, a_new: [batch, n] row-major, columns post_start .. ; x_old, x_new: [batch, n_in] row-major,
// columns pre_start .. ; w: [post_len, pre_len] row-major. How a tile is computed stands in shared/tile_*.wgsl.
// One product of twice the depth instead of two: W is read and written once.

struct Params {
    a_old: u32,
    a_new: u32,
    x_old: u32,
    x_new: u32,
    batch: u32,
    n: u32,
    n_in: u32,
    pre_start: u32,
    pre_len: u32,
    post_start: u32,
    post_len: u32,
}

@group(0) @binding(3) var<storage, read_write> w: array<f32>;

// Neighbouring rows and columns are neighbours in memory.
const A_ALONG_DEPTH: bool = false;
const B_ALONG_DEPTH: bool = false;

fn row_count() -> u32 { return params.post_len; }
fn column_count() -> u32 { return params.pre_len; }
fn depth() -> u32 { return 2u * params.batch; }

fn a_index(row: u32) -> u32 { return params.post_start + row; }
fn a_step() -> u32 { return params.n; }
fn read_a(i: u32) -> f32 {
    let half = params.batch * params.n;
    if (i < half) { return state[params.a_old + i]; }
    return state[params.a_new + i - half];
}

fn b_index(column: u32) -> u32 { return params.pre_start + column; }
fn b_step() -> u32 { return params.n_in; }
fn read_b(i: u32) -> f32 {
    let half = params.batch * params.n_in;
    if (i < half) { return state[params.x_old + i]; }
    return state[params.x_new + i - half];
}

fn finish(row: u32, column: u32, sum: f32) {
    let i = row * params.pre_len + column;
    w[i] = w[i] + sum;
}
