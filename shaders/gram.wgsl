// Overlaps of the patterns of a mini-batch: out[b', b] = sum_j x[b', j] y[b, j].
//
// As a matrix product: rows and columns = trajectories, depth = inputs, in ascending order.
// x, y: [batch, n] row-major; out: [batch, batch] row-major. How a tile is computed stands in shared/tile_*.wgsl.

struct Params {
    x: u32,
    y: u32,
    out: u32,
    batch: u32,
    n: u32,
}

// Neighbours in depth are neighbours in memory, in both operands.
const A_ALONG_DEPTH: bool = true;
const B_ALONG_DEPTH: bool = true;

fn row_count() -> u32 { return params.batch; }
fn column_count() -> u32 { return params.batch; }
fn depth() -> u32 { return params.n; }

fn a_index(row: u32) -> u32 { return row * params.n; }
fn a_step() -> u32 { return 1u; }
fn read_a(i: u32) -> f32 { return state[params.x + i]; }

fn b_index(column: u32) -> u32 { return column * params.n; }
fn b_step() -> u32 { return 1u; }
fn read_b(i: u32) -> f32 { return state[params.y + i]; }

fn finish(row: u32, column: u32, sum: f32) {
    state[params.out + row * params.batch + column] = sum;
}
