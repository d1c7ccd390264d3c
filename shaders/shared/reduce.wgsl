// Sums over the invocations of a workgroup, in a fixed order: a binary tree.

override LANES: u32 = 256u;

var<workgroup> lane_values: array<f32, LANES>;

// The sum of `v` over the workgroup, in every invocation. To be called in uniform control flow.
fn total(lane: u32, v: f32) -> f32 {
    lane_values[lane] = v;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half = half / 2u) {
        if (lane < half) {
            lane_values[lane] = lane_values[lane] + lane_values[lane + half];
        }
        workgroupBarrier();
    }
    let sum = lane_values[0];
    workgroupBarrier();
    return sum;
}

// Largest value over the workgroup (a NaN never wins). As `total`.
fn largest(lane: u32, v: f32) -> f32 {
    lane_values[lane] = v;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half = half / 2u) {
        if (lane < half && lane_values[lane + half] > lane_values[lane]) {
            lane_values[lane] = lane_values[lane + half];
        }
        workgroupBarrier();
    }
    let v_max = lane_values[0];
    workgroupBarrier();
    return v_max;
}
