//! Derivatives of weights in factors on the adapter: the kernels on random data as in `gpu_parity.rs`, and whole steps of recurrent networks
//! against the processor.

#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

mod gpu_support;

use std::sync::Arc;

use gpu_support::{Bench, EPS, Noise, close, device, features, network};
use lagrange_gpu::dynamics::{Features, Model, Resident, Settings, StimulusKind};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
use lagrange_gpu::gpu::Profile;
use lagrange_gpu::kernels::{Call, learn, overlap, rate_product};
use lagrange_gpu::network::{Activation, Architecture, InputMode, Network};
use lagrange_gpu::plan::{Buf, BufferSpec, Cols, Elem, PlanId, Role, StepControl};

const ALL: [Profile; 3] = [Profile::Software, Profile::Small, Profile::Large];

fn control() -> StepControl {
    StepControl { rate_w: 0.125, rate_b: 0.0625, ..StepControl::default() }
}

/// A sum over k terms walks at random: √k roundings of partial sums of size √k.
fn rounding(depth: usize) -> f64 {
    (depth as f64 + 16.0) * EPS
}

#[test]
fn kernels_agree_with_the_processor() {
    // Ragged tiles, and tiles of every profile crossed; resident weights for their overlaps.
    for (sizes, batch) in [([13, 13, 6], 5), ([70, 70, 33], 66)] {
        let settings = Settings { resident: Resident::Always, ..Settings::default() };
        let features = Features { unit_range: true, ..features(true) };
        let net = network(&sizes, Activation::HardSigmoid, InputMode::Clamped);
        let b = Bench::new(net, settings, batch, features);
        let l = &b.model.layout;
        let [before, cols] = [0, 1].map(|p| b.model.network.cols(p));
        let call = overlap::Args { x: l.delta, out: l.gram[0], cols };
        b.compare("overlap", &[call.into()], control(), &ALL, rounding(sizes[1]));
        for (gate, hollow, factor) in [(None, true, 0.5), (Some(l.d), false, -0.5), (None, true, 0.0)] {
            let (x, y, overlaps, out) = (l.delta, l.r, l.gram[0], l.y_vec);
            let out = if b.model.program.spec(out).is_empty() { l.a } else { out };
            let call = rate_product::Args { x, y, overlaps, gate, out, cols, hollow, factor };
            b.compare("rate_product", &[call.into()], control(), &ALL[..1], rounding(2 * batch));
        }
        for (pre, hollow, clip) in [(before, false, None), (cols, true, Some(0.5)), (cols, true, None)] {
            let (delta, r, w) = (l.delta, l.r, l.weights[0]);
            let call: Call =
                learn::Args { delta, r, w, pre, post: cols, factor: 0.5, dt_ms: 0.5, clip, hollow }.into();
            b.compare("learn", std::slice::from_ref(&call), control(), &ALL, rounding(batch));
            // Without learning the bound is all that is left, whatever δ is.
            b.compare("learn", &[call], StepControl::default(), &ALL, 0.0);
        }
    }
}

const BATCH: usize = 2;
const STEPS: usize = 3;
const CLIP: f64 = 0.05;

fn recurrent(activation: Activation) -> Arc<Model> {
    let plain = network(&[3, 24, 5], activation, InputMode::Driven);
    let mut projections = Architecture::FullyRecurrent.projections(3, false);
    for (k, p) in projections.iter_mut().enumerate() {
        p.clip = (k % 2 == 0).then_some(CLIP);
        p.factor = 0.5 + 0.1 * k as f64;
    }
    let net = Network { projections, ..plain };
    let stimulus = StimulusKind::Sequence { steps: STEPS };
    let features = Features { stimulus, ..features(true) };
    let mut model = Model::new(net, Settings::default(), BATCH, features).expect("a valid model");
    // The plain plan: what the processor keeps for small networks is filled with noise here like all that lasts.
    model.program.small = None;
    Arc::new(model)
}

fn lasting(spec: &BufferSpec) -> bool {
    matches!(spec.role, Role::State | Role::Parameter) && !spec.name.starts_with("W_dot") && !spec.is_empty()
}

/// The content of all that lasts, to be the same at the start on every device.
fn start(model: &Model) -> Vec<(Buf, Vec<f64>)> {
    let mut noise = Noise::new(9);
    let written = |spec: &BufferSpec| spec.elem == Elem::Real && spec.name != "active";
    let wanted = |spec: &BufferSpec| written(spec) && (lasting(spec) || spec.role == Role::Stimulus);
    let buffers = model.program.buffers.iter().enumerate().filter(|(_, spec)| wanted(spec));
    buffers
        .map(|(i, spec)| {
            // Weights so weak that J is far from singular on every branch of ρ: ‖W‖₂ ≤ ½.
            let mut values = noise.fill(spec.len(), if spec.name.starts_with("W ") { 0.075 } else { 0.3 });
            values.iter_mut().for_each(|v| *v = f64::from(*v as f32));
            if spec.name == "beta" || spec.name == "b_factor" {
                values.iter_mut().for_each(|v| *v = v.abs());
            }
            (Buf(i as u16), values)
        })
        .collect()
}

#[test]
fn steps_agree_with_the_processor() {
    for activation in [Activation::Sigmoid, Activation::HardSigmoid] {
        let model = recurrent(activation);
        let open =
            |device: &Device| Engine::new(Arc::clone(&model), device).unwrap_or_else(|e| panic!("{e}"));
        let mut want = open(&Device::Cpu(Precision::F64));
        let start = start(&model);
        start.iter().for_each(|(buf, data)| want.write(*buf, data).expect("written"));
        // Whole blocks, and blocks in buffers of one to four rows.
        for device in [device().with_factors_from(0), device().with_factors_from(0).with_block_limit(400)] {
            let mut engine = open(&Device::Gpu(device));
            engine.set_iterations(20);
            for row in 0..STEPS as u32 {
                let work = [Work {
                    plan: PlanId::Step,
                    controls: vec![StepControl { row, beta_row: row % 2, index: row, ..control() }],
                }];
                start.iter().for_each(|(buf, data)| want.write(*buf, data).expect("written"));
                start.iter().for_each(|(buf, data)| engine.write(*buf, data).expect("written"));
                want.run(&work).expect("a step");
                engine.run(&work).expect("a step");
                let lasting = model.program.buffers.iter().enumerate().filter(|(_, spec)| lasting(spec));
                for (i, spec) in lasting {
                    let [want, got] = [&mut want, &mut engine].map(|e| e.read(Buf(i as u16)).expect("read"));
                    // As in `gpu_steps.rs`: the solver's 1e-6 times condition numbers below 10, and some 40 roundings.
                    close(&format!("{}, step {row}, {}", activation.name(), spec.name), &want, &got, 1e-5);
                }
            }
            // That of 24 neurons onto themselves, whose own weights do not learn.
            let cols = |p: usize| model.network.cols(p);
            let own =
                model.network.projections.iter().position(|p| p.pre == 1 && p.post == 1).expect("there");
            let Cols { len, .. } = cols(1);
            let after = engine.read(model.layout.weights[own]).expect("read");
            let before = &start.iter().find(|(buf, _)| *buf == model.layout.weights[own]).expect("there").1;
            let moved = (0..len * len).filter(|&i| before[i].abs() < CLIP && after[i] != before[i]);
            let (diagonal, others): (Vec<usize>, Vec<usize>) = moved.partition(|i| i / len == i % len);
            assert!(diagonal.is_empty() && others.len() > len, "{diagonal:?} {}", others.len());
            let rate = model.layout.weight_rates[own].expect("learns");
            assert!(engine.read(rate).expect("read").iter().all(|v| *v == 0.0), "it is not formed");
        }
    }
}
