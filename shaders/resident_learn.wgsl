// Plasticity of a projection from a clamped input population without touching its weights (model, section 3).
//
// With r = (1 - s) r_old + s r_new, s = the ramp of the step before, and G the overlaps of the patterns:
//   v_dot_old[b] = eta factor / B sum_b' delta[b'] ((1 - s) G_oo[b', b] + s G_on[b, b'])
//   v_dot_new[b] = eta factor / B sum_b' delta[b'] ((1 - s) G_on[b', b] + s G_nn[b', b])
//   c += (1 - s) v_dot_old + s v_dot_new (= W_dot r, if in the dynamics) + (s' - s)/dt (v_new - v_old) (= W u_dot_in)
//   v += dt v_dot;  a_old += dt eta factor / B (1 - s) delta;  a_new += dt eta factor / B s delta
// delta, v, a, c: [batch, n] row-major, columns start .. start + len; G: [batch, batch] row-major. eta / B is control.rate_w.
// One invocation a neuron and trajectory, trajectories b' in ascending order: the overlaps are read by all neurons of a
// trajectory alike and stay in cache, and a column of delta is read by neighbouring invocations together.

struct Params {
    delta: u32,
    gram_oo: u32,
    gram_on: u32,
    gram_nn: u32,
    v_old: u32,
    v_new: u32,
    a_old: u32,
    a_new: u32,
    c: u32,
    batch: u32,
    n: u32,
    start: u32,
    len: u32,
    in_dynamics: u32,
    factor: f32,
    dt: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.len) { return; }
    let b = id.y;
    let column = params.start + id.x;
    let i = b * params.n + column;
    let now = control.ramp_prev;
    let before = 1.0 - now;
    let v_old = state[params.v_old + i];
    let v_new = state[params.v_new + i];
    var c = state[params.c + i] + (control.ramp - now) / params.dt * (v_new - v_old);
    let rate = control.rate_w * params.factor;
    if (rate != 0.0) {
        var sum_old = 0.0;
        var sum_new = 0.0;
        for (var k = 0u; k < params.batch; k = k + 1u) {
            let delta = state[params.delta + k * params.n + column];
            // old·old and new·new are symmetric, new·old is old·new transposed.
            let mine = b * params.batch + k;
            let row = k * params.batch + b;
            let on = state[params.gram_on + row];
            sum_old = sum_old + delta * (before * state[params.gram_oo + mine] + now * state[params.gram_on + mine]);
            sum_new = sum_new + delta * (before * on + now * state[params.gram_nn + mine]);
        }
        let rate_old = rate * sum_old;
        let rate_new = rate * sum_new;
        if (params.in_dynamics != 0u) { c = c + before * rate_old + now * rate_new; }
        state[params.v_old + i] = v_old + params.dt * rate_old;
        state[params.v_new + i] = v_new + params.dt * rate_new;
        let share = rate * params.dt * state[params.delta + i];
        state[params.a_old + i] = state[params.a_old + i] + before * share;
        state[params.a_new + i] = state[params.a_new + i] + now * share;
    }
    state[params.c + i] = c;
}
