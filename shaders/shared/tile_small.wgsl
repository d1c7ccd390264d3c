// A 32 x 32 tile of a matrix product in workgroup memory: 64 invocations, 4 x 4 outputs each, blocks of 16 in depth.
//
// out[row, column] = sum over depth of a[row, k] b[k, column], ascending, one accumulator an output. Small tiles, because a product of a few
// hundred neurons by a batch of 128 gives only a few dozen of the larger ones, and a GPU wants hundreds of workgroups.
//
// The kernel supplies row_count, column_count, depth, a_index, a_step, read_a, b_index, b_step, read_b, finish and which operands have
// neighbours along the depth.

const DEPTH: u32 = 16u;
const QUADS: u32 = 8u;

// Four neighbouring rows (or columns) at each depth; zero beyond the edges.
var<workgroup> tile_a: array<vec4<f32>, 128>;
var<workgroup> tile_b: array<vec4<f32>, 128>;

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
    let row = group.y * 32u;
    let column = group.x * 32u;
    let tile_row = lane / 8u;
    let tile_column = lane % 8u;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var block = 0u; block < depth(); block = block + DEPTH) {
        fetch(lane, row, column, block);
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k = k + 1u) {
            let a = tile_a[k * QUADS + tile_row];
            let b = tile_b[k * QUADS + tile_column];
            sum0 = sum0 + a.x * b;
            sum1 = sum1 + a.y * b;
            sum2 = sum2 + a.z * b;
            sum3 = sum3 + a.w * b;
        }
        workgroupBarrier();
    }
    store_quad(row + 4u * tile_row + 0u, column + 4u * tile_column, sum0);
    store_quad(row + 4u * tile_row + 1u, column + 4u * tile_column, sum1);
    store_quad(row + 4u * tile_row + 2u, column + 4u * tile_column, sum2);
    store_quad(row + 4u * tile_row + 3u, column + 4u * tile_column, sum3);
}
