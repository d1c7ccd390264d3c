//! The CPU path computes the same bits on any number of threads, and its products are right at every edge.

#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

mod gpu_support;

use std::sync::Arc;

use gpu_support::{Noise, features, network};
use lagrange_gpu::cpu::product::{How, View, ViewMut, multiply};
use lagrange_gpu::dynamics::{Features, Model, Resident, Settings, StimulusKind};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
use lagrange_gpu::network::{Activation, InputMode, Network, Population, Projection};
use lagrange_gpu::plan::{Elem, PlanId, StepControl};
use lagrange_gpu::train::{Gates, Ramp, controls, work};

/// All real buffers but Ẇ after two presentations, on so many threads.
fn two_presentations(
    sizes: &[usize],
    batch: usize,
    resident: Resident,
    threads: usize,
) -> Vec<(String, Vec<f64>)> {
    let net = network(sizes, Activation::HardSigmoid, InputMode::Clamped);
    let settings = Settings { resident, ..Settings::default() };
    let features = Features { unit_range: true, ..features(true) };
    let model = Arc::new(Model::new(net, settings, batch, features).expect("a valid model"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let l = &model.layout;
        let mut engine = Engine::new(Arc::clone(&model), &Device::Cpu(Precision::F32)).expect("an engine");
        let mut noise = Noise::new(7);
        for &w in &l.weights {
            engine.write(w, &noise.fill(model.program.spec(w).len(), 0.2)).expect("written");
        }
        let values: Vec<f64> = (0..256).map(|v| f64::from(v) / 255.0).collect();
        engine.write(l.pixel_table, &values).expect("written");
        engine.write(l.label_table, &[0.0, 1.0]).expect("written");
        engine.write(l.bias_factors, &vec![1.0; model.program.spec(l.bias_factors).len()]).expect("written");
        engine.write(l.beta, &vec![0.1; model.program.spec(l.beta).len()]).expect("written");
        engine.run(&[Work::once(PlanId::Start)]).expect("started");
        let ramp = Ramp { from: -14.0, to: 22.0 }.values(12);
        // Half of the steps do not learn: rates rest and wake.
        let gates = Gates { nudge_from: 0.0, learn_from: 0.4 };
        for k in 0..2_usize {
            let len = model.program.spec(l.pixels).len();
            let pixels: Vec<u8> = (0..len).map(|i| ((i + 37 * k) * 131 % 251) as u8).collect();
            engine.write_bytes(l.pixels, &pixels).expect("written");
            let labels: Vec<u8> = (0..batch).map(|b| (b % sizes[sizes.len() - 1]) as u8).collect();
            engine.write_bytes(l.labels, &labels).expect("written");
            engine.run(&work(controls(&ramp, gates, 0.02, 0.02, batch), l.resident)).expect("a presentation");
        }
        let update = StepControl { rate_w: 0.01, rate_b: 0.01, ..StepControl::default() };
        engine
            .run(&[Work { plan: PlanId::Backprop, controls: vec![update] }])
            .expect("an update of the control");
        let mut all = Vec::new();
        for (i, spec) in model.program.buffers.iter().enumerate() {
            if spec.elem == Elem::Real && !spec.name.starts_with("W_dot") {
                all.push((spec.name.clone(), engine.read(lagrange_gpu::plan::Buf(i as u16)).expect("read")));
            }
        }
        all
    })
}

/// One lane, a lane a thread with weights of its own, lanes that share weights, several lanes a thread; a single output neuron; Ẇ in
/// factors and formed.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let nets: [&[usize]; 4] = [&[20, 37, 18, 5], &[9, 70, 1], &[20, 1, 3], &[3, 2, 2]];
    for sizes in nets {
        for (batch, resident) in [
            (1, Resident::Always),
            (9, Resident::Always),
            (9, Resident::Never),
            (40, Resident::Always),
            (131, Resident::Never),
            // Sums over more trajectories than go through the products at once.
            (300, Resident::Never),
            (300, Resident::Always),
        ] {
            let want = two_presentations(sizes, batch, resident, 1);
            assert!(want.iter().flat_map(|(_, v)| v).all(|v| v.is_finite()));
            for threads in [2, 3] {
                let got = two_presentations(sizes, batch, resident, threads);
                for ((name, want), (_, got)) in want.iter().zip(&got) {
                    assert!(want == got, "{sizes:?}, batch {batch}, {threads} threads: {name}");
                }
            }
        }
    }
}

/// A population with weights onto itself beyond the caches, whose products threads share.
fn recurrent_steps(threads: usize) -> Vec<(String, Vec<f64>)> {
    const NEURONS: usize = 523;
    const BATCH: usize = 13;
    let population =
        |name: &str, size| Population { name: name.into(), size, bias_factor: 1.0, bias_clip: None };
    let net = Network {
        populations: vec![population("input", 0), population("cortex", NEURONS)],
        projections: vec![Projection::between(1, 1)],
        activation: Activation::Sigmoid,
        input: InputMode::Driven,
        microcircuit: None,
    };
    let stimulus = StimulusKind::Sequence { steps: 2 };
    let features = Features { stimulus, learning: true, ..Features::samples(false) };
    let model = Arc::new(Model::new(net, Settings::default(), BATCH, features).expect("a valid model"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let l = &model.layout;
        let mut engine = Engine::new(Arc::clone(&model), &Device::Cpu(Precision::F32)).expect("an engine");
        let mut noise = Noise::new(5);
        for (buf, size) in [(l.weights[0], 0.02), (l.u, 1.0), (l.y_seq, 0.5), (l.y, 0.5)] {
            engine.write(buf, &noise.fill(model.program.spec(buf).len(), size)).expect("written");
        }
        engine.write(l.beta, &vec![0.1; model.program.spec(l.beta).len()]).expect("written");
        let control = |row| StepControl { row, rate_w: 1e-4, rate_b: 1e-4, ..StepControl::default() };
        let snapshot = engine
            .run(&[Work { plan: PlanId::Step, controls: vec![control(0), control(1)] }])
            .expect("two steps");
        let mut all = vec![("solver".to_owned(), snapshot.solver)];
        for buf in [l.u, l.u_dot, l.weights[0], l.biases] {
            all.push((model.program.spec(buf).name.clone(), engine.read(buf).expect("read")));
        }
        all
    })
}

#[test]
fn matrices_beyond_the_caches_give_the_same_bits_on_any_number_of_threads() {
    let want = recurrent_steps(1);
    assert!(want.iter().flat_map(|(_, v)| v).all(|v| v.is_finite()));
    for threads in [2, 3] {
        for ((name, want), (_, got)) in want.iter().zip(&recurrent_steps(threads)) {
            assert!(want == got, "{threads} threads: {name}");
        }
    }
}

/// Products with, and updates of, matrices beyond the caches (1 << 18 elements), with rests of rows, columns and trajectories.
#[test]
fn matrices_beyond_the_caches_are_multiplied_and_updated() {
    let mut noise = Noise::new(11);
    for m in [9, 35] {
        check(&mut noise, (m, 521, 1033));
    }
    let (rows, depth, cols) = (1031, 19, 509);
    let delta: Vec<f32> = noise.fill(depth * rows, 1.0).iter().map(|&v| v as f32).collect();
    let r: Vec<f32> = noise.fill(depth * cols, 1.0).iter().map(|&v| v as f32).collect();
    let old: Vec<f32> = noise.fill(rows * cols, 1.0).iter().map(|&v| v as f32).collect();
    let mut w = old.clone();
    multiply(
        How { rows, padded: false, alone: true },
        (rows, depth, cols),
        0.5,
        View { data: &delta, strides: (1, rows) },
        View { data: &r, strides: (cols, 1) },
        1.0,
        ViewMut { data: &mut w, stride: cols },
    );
    for (at, (&new, &old)) in w.iter().zip(&old).enumerate() {
        let (i, j) = (at / cols, at % cols);
        let terms = (0..depth).map(|b| f64::from(delta[b * rows + i]) * f64::from(r[b * cols + j]));
        let want = f64::from(old) + 0.5 * terms.sum::<f64>();
        // As in `check`.
        let bound = 6e-8 * (depth + 2) as f64 * (0.5 * depth as f64 + 1.0);
        assert!((f64::from(new) - want).abs() <= bound, "({i}, {j}): {new} for {want}");
    }
}

/// Products against sums in f64: every remainder of rows and columns by the blocks of the kernels, all three orders of b.
#[test]
fn products_are_right_at_every_edge() {
    let mut noise = Noise::new(3);
    let rows = [1, 2, 3, 4, 5, 7, 8, 9, 13, 17];
    let cols = [1, 3, 7, 8, 15, 16, 17, 31, 33, 47, 64, 65, 130];
    for (k, &m) in rows.iter().enumerate() {
        for (j, &n) in cols.iter().enumerate() {
            for depth in [1, 5 + k, 40 + j] {
                check(&mut noise, (m, depth, n));
            }
        }
    }
}

/// Sums along the rows of both operands, which go piece by piece where they are long, against sums in f64; the last one is beyond the faster caches,
/// where short pieces have a kernel of their own.
#[test]
fn long_sums_are_right() {
    let mut noise = Noise::new(4);
    for (m, k, n) in [(5, 256, 33), (13, 257, 16), (3, 600, 47), (20, 512, 7), (521, 276, 523)] {
        let stride = n + 2;
        let [a, b, old] = [m * k, k * n, m * stride]
            .map(|len| noise.fill(len, 1.0).iter().map(|&v| v as f32).collect::<Vec<_>>());
        for (keep, alone) in [(0.0, false), (1.0, true), (0.25, true)] {
            let mut c = old.clone();
            let how = How { rows: m, padded: false, alone };
            let views = (View { data: &a[..], strides: (1, m) }, View { data: &b[..], strides: (n, 1) });
            multiply(how, (m, k, n), 0.5, views.0, views.1, keep, ViewMut { data: &mut c, stride });
            // All of the small ones, some of the large one.
            for at in (0..c.len()).step_by(if m > 100 { 61 } else { 1 }) {
                let (i, j) = (at / stride, at % stride);
                if j >= n {
                    assert!(c[at] == old[at], "{m}×{k}×{n}: written beyond the columns");
                    continue;
                }
                let sum: f64 = (0..k).map(|p| f64::from(a[p * m + i]) * f64::from(b[p * n + j])).sum();
                let (want, got) = (0.5 * sum + f64::from(keep * old[at]), f64::from(c[at]));
                // As in `check`, with another rounding for each piece.
                let bound = 6e-8 * (k + 5) as f64 * (0.5 * k as f64 + 1.0);
                assert!((got - want).abs() <= bound, "{m}×{k}×{n} at ({i}, {j}): {got} for {want}");
            }
        }
    }
}

fn check(noise: &mut Noise, (m, k, n): (usize, usize, usize)) {
    let (wide, padded) = (n + 3, n.next_multiple_of(16));
    let a: Vec<f32> = noise.fill(m * k, 1.0).iter().map(|&v| v as f32).collect();
    let b: Vec<f32> = noise.fill(k * n, 1.0).iter().map(|&v| v as f32).collect();
    let old: Vec<f32> = noise.fill(m * wide, 1.0).iter().map(|&v| v as f32).collect();
    // The same b along its columns, with padding and along its depth.
    let mut with_padding = vec![0.0; k * padded];
    let mut along_depth = vec![0.0; k * n];
    for p in 0..k {
        for j in 0..n {
            with_padding[p * padded + j] = b[p * n + j];
            along_depth[j * k + p] = b[p * n + j];
        }
    }
    let views = [
        (View { data: &b[..], strides: (n, 1) }, false),
        (View { data: &with_padding[..], strides: (padded, 1) }, true),
        (View { data: &along_depth[..], strides: (1, k) }, false),
    ];
    for (view, padded) in views {
        for keep in [0.0, 1.0] {
            let mut c = old.clone();
            let how = How { rows: m, padded, alone: false };
            let to = ViewMut { data: &mut c, stride: wide };
            multiply(how, (m, k, n), 0.5, View { data: &a, strides: (k, 1) }, view, keep, to);
            for (i, (row, old)) in c.chunks_exact(wide).zip(old.chunks_exact(wide)).enumerate() {
                assert!(row[n..] == old[n..], "{m}×{k}×{n}: written beyond the columns");
                for j in 0..n {
                    let terms = (0..k).map(|p| f64::from(a[i * k + p]) * f64::from(b[p * n + j]));
                    let want = 0.5 * terms.sum::<f64>() + f64::from(keep * old[j]);
                    // Each of k + 2 roundings is at most 6e-8 of a sum below 0.5 k + 1.
                    let bound = 6e-8 * (k + 2) as f64 * (0.5 * k as f64 + 1.0);
                    let got = f64::from(row[j]);
                    assert!((got - want).abs() <= bound, "{m}×{k}×{n} at ({i}, {j}): {got} for {want}");
                }
            }
        }
    }
}
