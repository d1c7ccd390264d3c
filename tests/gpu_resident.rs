//! The kernels of resident weights on the adapter and in `f32` on the processor against `f64`, on random data.
//!
//! Tolerances as in `gpu_parity.rs`: a sum over k terms, k + 16 units of the unit roundoff of f32.

mod gpu_support;

use gpu_support::{Bench, EPS, features, network};
use lagrange_gpu::dynamics::{Features, Resident, Settings};
use lagrange_gpu::gpu::Profile;
use lagrange_gpu::kernels::{Base, Call, gram, resident_apply, resident_drive, resident_learn};
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::plan::StepControl;

const ALL: [Profile; 3] = [Profile::Software, Profile::Small, Profile::Large];
const CONTROL: StepControl = StepControl {
    ramp: 0.75,
    ramp_prev: 0.375,
    row: 0,
    beta_row: 0,
    index: 5,
    rate_w: 0.125,
    rate_b: 0.0625,
    rate_ip: 0.0,
    rate_pi: 0.0,
    rate_feedback: 0.0,
    rate_bi: 0.0,
};

fn bench(sizes: &[usize], batch: usize) -> Bench {
    let settings = Settings { resident: Resident::Always, ..Settings::default() };
    let features = Features { unit_range: true, ..features(true) };
    let bench =
        Bench::new(network(sizes, Activation::HardSigmoid, InputMode::Clamped), settings, batch, features);
    assert!(bench.model.layout.resident);
    bench
}

fn rounding(depth: usize) -> f64 {
    (depth as f64 + 16.0) * EPS
}

#[test]
fn overlaps_and_the_update_of_the_weights() {
    // Ragged tiles, and tiles of every profile crossed.
    for (sizes, batch) in [([13, 21, 6], 5), ([70, 67, 33], 66)] {
        let b = bench(&sizes, batch);
        let l = &b.model.layout;
        let net = &b.model.network;
        let overlap: Call = gram::Args { x: l.x_old, y: l.x_new, out: l.gram[1] }.into();
        b.compare("gram", &[overlap], CONTROL, &ALL, rounding(sizes[0]));
        let (pre, post) = (net.cols(0), net.cols(1));
        let (a_old, a_new, x_old, x_new) = (l.a_old, l.a_new, l.x_old, l.x_new);
        let apply: Call =
            resident_apply::Args { w: l.weights[0], a_old, a_new, x_old, x_new, pre, post }.into();
        b.compare("resident_apply", &[apply], CONTROL, &ALL, rounding(2 * batch));
    }
}

#[test]
fn drive_and_learning() {
    let batch = 7;
    let b = bench(&[13, 70, 6], batch);
    let l = &b.model.layout;
    let cols = b.model.network.cols(1);
    let (v_old, v_new) = (l.v_old, l.v_new);
    for base in [Base::Zero, Base::Out] {
        let drive: Call = resident_drive::Args { v_old, v_new, base, out: l.a, cols }.into();
        b.compare("resident_drive", &[drive], CONTROL, &ALL[..1], rounding(0));
    }
    for (in_dynamics, factor) in [(true, 0.5), (false, 0.5), (true, 0.0)] {
        let learn: Call = resident_learn::Args {
            delta: l.delta,
            gram: l.gram,
            v_old,
            v_new,
            a_old: l.a_old,
            a_new: l.a_new,
            c: l.c,
            cols,
            factor,
            in_dynamics,
            dt_ms: 0.5,
        }
        .into();
        b.compare("resident_learn", &[learn], CONTROL, &ALL[..1], rounding(2 * batch));
    }
}
