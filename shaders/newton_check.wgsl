// Judges a Newton iterate by F = f - aim: accepted where max |F| falls (best <- u, g <- -F), else the step is halved and g <- 0.
// A first iterate whose f is not finite is handed on (best <- f), so that the end of the step notes it.
//
// f, aim, u, best, g: [batch, n] row-major, columns start .. start + len; newton: [batch, 9].
// One workgroup a trajectory; a lane meets the same columns in every pass. A trajectory that has ended runs loops of length 0.

struct Params {
    f: u32,
    aim: u32,
    u: u32,
    best: u32,
    g: u32,
    newton: u32,
    n: u32,
    start: u32,
    len: u32,
    steps: f32,
    smallest: f32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let book = params.newton + group.x * SOLVER_LEN;
    let row = group.x * params.n + params.start;
    let residual = state[book + NEWTON_RESIDUAL];
    let tolerance = state[book + NEWTON_TOLERANCE];
    let scale = state[book + NEWTON_SCALE];
    let steps = state[book + NEWTON_STEPS];
    let is_open = residual > tolerance;
    let len = select(0u, params.len, is_open);
    var most = 0.0;
    var unsound = 0.0;
    for (var k = lane; k < len; k = k + LANES) {
        let size = abs(state[params.f + row + k] - state[params.aim + row + k]);
        if (!is_finite(size)) { unsound = 1.0; }
        if (size > most) { most = size; }
    }
    let worst = largest(lane, most);
    let sound = total(lane, unsound) == 0.0;
    let falls = is_open && sound && worst < residual;
    let reached = falls && worst <= tolerance;
    let next_scale = select(0.5 * scale, 1.0, falls);
    let next_steps = select(steps, steps + 1.0, falls && !reached);
    let ended = is_open && !reached && (next_steps > params.steps || next_scale < params.smallest);
    let wanted = falls && !reached && !ended;
    for (var k = lane; k < params.len; k = k + LANES) {
        let i = row + k;
        if (falls) { state[params.best + i] = state[params.u + i]; }
        if (is_open && !sound && residual >= INFINITE) { state[params.best + i] = state[params.f + i]; }
        var g = 0.0;
        if (wanted) { g = state[params.aim + i] - state[params.f + i]; }
        state[params.g + i] = g;
    }
    if (lane == 0u) {
        state[book + NEWTON_ACCEPTED] = select(0.0, 1.0, wanted);
        if (is_open) {
            state[book + NEWTON_EVALUATIONS] = state[book + NEWTON_EVALUATIONS] + 1.0;
            state[book + NEWTON_RESIDUAL] = select(residual, worst, falls);
            if (!reached) {
                state[book + NEWTON_SCALE] = next_scale;
                state[book + NEWTON_STEPS] = next_steps;
            }
            if (ended) { state[book + NEWTON_TOLERANCE] = INFINITE; }
        }
    }
}
