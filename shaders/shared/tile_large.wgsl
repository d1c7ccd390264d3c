// A 64 x 64 tile of a matrix product in workgroup memory: 64 invocations, 8 x 8 outputs each, blocks of 16 in depth.
//
// out[row, column] = sum over depth of a[row, k] b[k, column], ascending, one accumulator an output. Twice the outputs per element fetched of the
// 32 x 32 tile; an invocation's rows and columns come in two groups of four, 32 apart, so that neighbours read neighbouring words.
//
// The kernel supplies row_count, column_count, depth, a_index, a_step, read_a, b_index, b_step, read_b, finish and which operands have
// neighbours along the depth.

const DEPTH: u32 = 16u;
const QUADS: u32 = 16u;

// Four neighbouring rows (or columns) at each depth; zero beyond the edges.
var<workgroup> tile_a: array<vec4<f32>, 256>;
var<workgroup> tile_b: array<vec4<f32>, 256>;

fn one_of_a(row: u32, k: u32) -> f32 {
    if (row < row_count() && k < depth()) { return read_a(a_index(row) + k * a_step()); }
    return 0.0;
}

fn one_of_b(column: u32, k: u32) -> f32 {
    if (column < column_count() && k < depth()) { return read_b(b_index(column) + k * b_step()); }
    return 0.0;
}

fn quad_of_a(row: u32, k: u32) -> vec4<f32> {
    return vec4<f32>(one_of_a(row, k), one_of_a(row + 1u, k), one_of_a(row + 2u, k), one_of_a(row + 3u, k));
}

fn quad_of_b(column: u32, k: u32) -> vec4<f32> {
    return vec4<f32>(one_of_b(column, k), one_of_b(column + 1u, k), one_of_b(column + 2u, k), one_of_b(column + 3u, k));
}

// Fetches a block of both operands; neighbouring invocations read neighbouring elements.
fn fetch(lane: u32, row: u32, column: u32, block: u32) {
    for (var part = lane; part < QUADS * DEPTH; part = part + 64u) {
        let ka = select(part / QUADS, part % DEPTH, A_ALONG_DEPTH);
        let qa = select(part % QUADS, part / DEPTH, A_ALONG_DEPTH);
        tile_a[ka * QUADS + qa] = quad_of_a(row + 4u * qa, block + ka);
        let kb = select(part / QUADS, part % DEPTH, B_ALONG_DEPTH);
        let qb = select(part % QUADS, part / DEPTH, B_ALONG_DEPTH);
        tile_b[kb * QUADS + qb] = quad_of_b(column + 4u * qb, block + kb);
    }
}

fn store_quad(row: u32, column: u32, sums: vec4<f32>) {
    if (row >= row_count()) { return; }
    for (var i = 0u; i < 4u; i = i + 1u) {
        if (column + i < column_count()) { finish(row, column + i, sums[i]); }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.y * 64u;
    let column = group.x * 64u;
    let tile_row = lane / 8u;
    let tile_column = lane % 8u;
    var low0 = vec4<f32>();
    var high0 = vec4<f32>();
    var low1 = vec4<f32>();
    var high1 = vec4<f32>();
    var low2 = vec4<f32>();
    var high2 = vec4<f32>();
    var low3 = vec4<f32>();
    var high3 = vec4<f32>();
    var low4 = vec4<f32>();
    var high4 = vec4<f32>();
    var low5 = vec4<f32>();
    var high5 = vec4<f32>();
    var low6 = vec4<f32>();
    var high6 = vec4<f32>();
    var low7 = vec4<f32>();
    var high7 = vec4<f32>();
    for (var block = 0u; block < depth(); block = block + DEPTH) {
        fetch(lane, row, column, block);
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k = k + 1u) {
            let a = tile_a[k * QUADS + tile_row];
            let c = tile_a[k * QUADS + 8u + tile_row];
            let low = tile_b[k * QUADS + tile_column];
            let high = tile_b[k * QUADS + 8u + tile_column];
            low0 = low0 + a.x * low;
            high0 = high0 + a.x * high;
            low1 = low1 + a.y * low;
            high1 = high1 + a.y * high;
            low2 = low2 + a.z * low;
            high2 = high2 + a.z * high;
            low3 = low3 + a.w * low;
            high3 = high3 + a.w * high;
            low4 = low4 + c.x * low;
            high4 = high4 + c.x * high;
            low5 = low5 + c.y * low;
            high5 = high5 + c.y * high;
            low6 = low6 + c.z * low;
            high6 = high6 + c.z * high;
            low7 = low7 + c.w * low;
            high7 = high7 + c.w * high;
        }
        workgroupBarrier();
    }
    store_quad(row + 4u * tile_row + 0u, column + 4u * tile_column, low0);
    store_quad(row + 4u * tile_row + 0u, column + 32u + 4u * tile_column, high0);
    store_quad(row + 4u * tile_row + 1u, column + 4u * tile_column, low1);
    store_quad(row + 4u * tile_row + 1u, column + 32u + 4u * tile_column, high1);
    store_quad(row + 4u * tile_row + 2u, column + 4u * tile_column, low2);
    store_quad(row + 4u * tile_row + 2u, column + 32u + 4u * tile_column, high2);
    store_quad(row + 4u * tile_row + 3u, column + 4u * tile_column, low3);
    store_quad(row + 4u * tile_row + 3u, column + 32u + 4u * tile_column, high3);
    store_quad(row + 32u + 4u * tile_row + 0u, column + 4u * tile_column, low4);
    store_quad(row + 32u + 4u * tile_row + 0u, column + 32u + 4u * tile_column, high4);
    store_quad(row + 32u + 4u * tile_row + 1u, column + 4u * tile_column, low5);
    store_quad(row + 32u + 4u * tile_row + 1u, column + 32u + 4u * tile_column, high5);
    store_quad(row + 32u + 4u * tile_row + 2u, column + 4u * tile_column, low6);
    store_quad(row + 32u + 4u * tile_row + 2u, column + 32u + 4u * tile_column, high6);
    store_quad(row + 32u + 4u * tile_row + 3u, column + 4u * tile_column, low7);
    store_quad(row + 32u + 4u * tile_row + 3u, column + 32u + 4u * tile_column, high7);
}
