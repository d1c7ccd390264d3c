// A tile of a matrix product in registers alone: 8 x 8 outputs an invocation, for software adapters.
//
// out[row, column] = sum over depth of a[row, k] b[k, column], ascending, one accumulator an output. No workgroup memory and no barrier: on a
// processor a barrier switches between coroutines, and shared memory is a copy of what the cache holds anyway. Neighbouring invocations take
// neighbouring columns. Rows and columns beyond the edge repeat the last one and are not stored.
//
// The kernel supplies row_count, column_count, depth, a_index, a_step, read_a, b_index, b_step, read_b and finish.

const TILE_LANES: u32 = 8u;

fn store_row(row: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
    if (row >= row_count()) { return; }
    for (var c = 0u; c < 4u; c = c + 1u) {
        let left = column + c * TILE_LANES;
        if (left < column_count()) { finish(row, left, low[c]); }
        let right = left + 4u * TILE_LANES;
        if (right < column_count()) { finish(row, right, high[c]); }
    }
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.y * 8u;
    let column = group.x * 64u + lane;
    let last_row = row_count() - 1u;
    let last_column = column_count() - 1u;
    let a0 = a_index(min(row + 0u, last_row));
    let a1 = a_index(min(row + 1u, last_row));
    let a2 = a_index(min(row + 2u, last_row));
    let a3 = a_index(min(row + 3u, last_row));
    let a4 = a_index(min(row + 4u, last_row));
    let a5 = a_index(min(row + 5u, last_row));
    let a6 = a_index(min(row + 6u, last_row));
    let a7 = a_index(min(row + 7u, last_row));
    let b0 = b_index(min(column + 0u * TILE_LANES, last_column));
    let b1 = b_index(min(column + 1u * TILE_LANES, last_column));
    let b2 = b_index(min(column + 2u * TILE_LANES, last_column));
    let b3 = b_index(min(column + 3u * TILE_LANES, last_column));
    let b4 = b_index(min(column + 4u * TILE_LANES, last_column));
    let b5 = b_index(min(column + 5u * TILE_LANES, last_column));
    let b6 = b_index(min(column + 6u * TILE_LANES, last_column));
    let b7 = b_index(min(column + 7u * TILE_LANES, last_column));
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
    let steps = depth();
    for (var k = 0u; k < steps; k = k + 1u) {
        let ka = k * a_step();
        let kb = k * b_step();
        let low = vec4<f32>(read_b(b0 + kb), read_b(b1 + kb), read_b(b2 + kb), read_b(b3 + kb));
        let high = vec4<f32>(read_b(b4 + kb), read_b(b5 + kb), read_b(b6 + kb), read_b(b7 + kb));
        let v0 = read_a(a0 + ka);
        low0 = low0 + v0 * low;
        high0 = high0 + v0 * high;
        let v1 = read_a(a1 + ka);
        low1 = low1 + v1 * low;
        high1 = high1 + v1 * high;
        let v2 = read_a(a2 + ka);
        low2 = low2 + v2 * low;
        high2 = high2 + v2 * high;
        let v3 = read_a(a3 + ka);
        low3 = low3 + v3 * low;
        high3 = high3 + v3 * high;
        let v4 = read_a(a4 + ka);
        low4 = low4 + v4 * low;
        high4 = high4 + v4 * high;
        let v5 = read_a(a5 + ka);
        low5 = low5 + v5 * low;
        high5 = high5 + v5 * high;
        let v6 = read_a(a6 + ka);
        low6 = low6 + v6 * low;
        high6 = high6 + v6 * high;
        let v7 = read_a(a7 + ka);
        low7 = low7 + v7 * low;
        high7 = high7 + v7 * high;
    }
    store_row(row + 0u, column, low0, high0);
    store_row(row + 1u, column, low1, high1);
    store_row(row + 2u, column, low2, high2);
    store_row(row + 3u, column, low3, high3);
    store_row(row + 4u, column, low4, high4);
    store_row(row + 5u, column, low5, high5);
    store_row(row + 6u, column, low6, high6);
    store_row(row + 7u, column, low7, high7);
}
