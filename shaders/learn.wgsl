// W <- clip(W + dt W_dot) with W_dot = kappa delta^T r, which is not formed; W alone is read and written (step order, items 4 and 7).
//
// As a matrix product: rows = postsynaptic neurons, columns = presynaptic neurons, depth = trajectories, in ascending order.
// delta: [batch, n], r: [batch, r_n] row-major, columns post_start .. and pre_start .. ; w: [post_len, pre_len] row-major.
// kappa is control.rate_w times the factor of the projection, share = factor dt; inactive trajectories have delta = 0. How a tile is computed
// stands in shared/tile_*.wgsl.

struct Params {
    delta: u32,
    r: u32,
    batch: u32,
    n: u32,
    r_n: u32,
    pre_start: u32,
    pre_len: u32,
    post_start: u32,
    post_len: u32,
    clipped: u32,
    hollow: u32,
    share: f32,
    clip: f32,
}

@group(0) @binding(3) var<storage, read_write> w: array<f32>;

// Neighbouring rows and columns are neighbours in memory.
const A_ALONG_DEPTH: bool = false;
const B_ALONG_DEPTH: bool = false;

fn row_count() -> u32 { return params.post_len; }
fn column_count() -> u32 { return params.pre_len; }
fn depth() -> u32 {
    // Nothing to sum where learning is off.
    return select(params.batch, 0u, control.rate_w * params.share == 0.0);
}

fn a_index(row: u32) -> u32 { return params.post_start + row; }
fn a_step() -> u32 { return params.n; }
fn read_a(i: u32) -> f32 { return state[params.delta + i]; }

fn b_index(column: u32) -> u32 { return params.pre_start + column; }
fn b_step() -> u32 { return params.r_n; }
fn read_b(i: u32) -> f32 { return state[params.r + i]; }

fn finish(row: u32, column: u32, sum: f32) {
    let i = row * params.pre_len + column;
    var v = w[i];
    // No neuron projects onto itself.
    if (params.hollow == 0u || params.post_start + row != params.pre_start + column) {
        v = v + control.rate_w * params.share * sum;
    }
    // Comparisons, so that a NaN stays one.
    if (params.clipped != 0u) {
        if (v > params.clip) {
            v = params.clip;
        } else if (v < -params.clip) {
            v = -params.clip;
        }
    }
    w[i] = v;
}
