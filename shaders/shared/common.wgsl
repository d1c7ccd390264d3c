// Bindings and functions that every kernel has.
//
// binding 0  state: all buffers of real numbers but weights and sequences, in one arena. A parameter that names a buffer is
//            the index of its first element. One binding instead of up to twelve keeps every kernel within the default limit
//            of eight storage buffers, and lets a sweep read and write the same buffer.
// binding 1  control: what changes from step to step.
// binding 2  params: what is fixed for a call (the struct stands in the kernel's own file).

struct Control {
    ramp: f32,
    ramp_prev: f32,
    row: u32,
    beta_row: u32,
    index: u32,
    rate_w: f32,
    rate_b: f32,
    rate_ip: f32,
    rate_pi: f32,
    rate_feedback: f32,
    rate_bi: f32,
    // Of whole steps (`small_step`): the slot of these values, steps from there on, bound of solver iterations.
    slot: u32,
    steps: u32,
    iterations: u32,
}

@group(0) @binding(0) var<storage, read_write> state: array<f32>;
@group(0) @binding(1) var<uniform> control: Control;
@group(0) @binding(2) var<uniform> params: Params;

// A learning rate over the number of active trajectories, by its number in `plan::Rate`.
fn rate_of(which: u32) -> f32 {
    switch which {
        case 0u: { return control.rate_w; }
        case 1u: { return control.rate_b; }
        case 2u: { return control.rate_ip; }
        case 3u: { return control.rate_pi; }
        case 4u: { return control.rate_feedback; }
        default: { return control.rate_bi; }
    }
}

// A buffer that is absent.
const NONE: u32 = 0xffffffffu;

// By its bits: compilers may assume that x == x.
fn is_finite(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u;
}
