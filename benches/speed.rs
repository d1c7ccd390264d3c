//! Speed of presentations on the CPU with and without resident weights, and of products and steps on the adapter: `cargo bench`
//! (`cargo bench -- --cpu`: the first part alone; `--csv [--network 784-500-10] [--batch 1,32] [--steps 100] [--plan resident] [--gpu]
//! [--least PRESENTATIONS]`: that part as lines `plan,batch,ms,iterations`, of three presentations together or the least of as many).
//!
//! `LAGRANGE_TEST_ADAPTER=<part of a name>` chooses the adapter. Figures swing on a shared machine: compare within one run.

#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

#[path = "../tests/gpu_support/mod.rs"]
mod gpu_support;

use std::sync::Arc;
use std::time::Instant;

use gpu_support::{Noise, device, features, network};
use lagrange_gpu::dynamics::{Features, Model, Resident, Settings};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
use lagrange_gpu::gpu::Profile;
use lagrange_gpu::kernels::{Base, Call, backward, forward, solver, weight_rate};
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::plan::{Elem, Op, Plan, PlanId, Rate, StepControl};
use lagrange_gpu::train::{Gates, Ramp, controls, work};

fn products() {
    let net = network(&[784, 500, 10], Activation::HardSigmoid, InputMode::Clamped);
    let batch = 128;
    let model = Model::new(net, Settings::default(), batch, features(true)).expect("a valid model");
    let l = model.layout.clone();
    let (pre, post) = (model.network.cols(0), model.network.cols(1));
    let (w, x, gate) = (l.weights[0], l.r, Some(l.d));
    let w_dot = l.weight_rates[0].expect("learns");
    let calls: [(&str, Call); 4] = [
        (
            "forward",
            forward::Args { w, x, gate: None, base: Base::Zero, out: l.a, pre, post, scale: 1.0 }.into(),
        ),
        (
            "forward, gated",
            forward::Args { w, x, gate, base: Base::Zero, out: l.a, pre, post, scale: 1.0 }.into(),
        ),
        ("backward", backward::Args { w, x, gate, base: Base::Zero, out: l.g, pre, post, scale: 1.0 }.into()),
        (
            "weight_rate",
            weight_rate::Args {
                delta: l.delta,
                r: l.r,
                w_dot,
                pre,
                post,
                factor: 1.0,
                clip: None,
                hollow: false,
                rate: Rate::Weights,
            }
            .into(),
        ),
    ];
    println!("{}", device().name());
    for (_, profile) in Profile::NAMES {
        for (name, call) in &calls {
            let mut model = model.clone();
            model.program.plans[PlanId::Observe as usize] = Plan { ops: vec![Op::Call(call.clone()); 4] };
            let device = Device::Gpu(device().with_profile(profile));
            let mut engine = Engine::new(Arc::new(model.clone()), &device).unwrap_or_else(|e| panic!("{e}"));
            let mut noise = Noise::new(1);
            for (i, spec) in model.program.buffers.iter().enumerate() {
                if spec.elem == Elem::Real && !spec.is_empty() {
                    engine
                        .write(lagrange_gpu::plan::Buf(i as u16), &noise.fill(spec.len(), 1.0))
                        .expect("written");
                }
            }
            let control = StepControl { rate_w: 0.1, ..StepControl::default() };
            let work = |runs: usize| [Work { plan: PlanId::Observe, controls: vec![control; runs] }];
            engine.run(&work(1)).expect("warm");
            let begun = Instant::now();
            engine.run(&work(1)).expect("measured");
            let runs = (0.5 / begun.elapsed().as_secs_f64()).clamp(1.0, 200.0) as usize;
            let begun = Instant::now();
            engine.run(&work(runs)).expect("measured");
            let flops = 2.0 * (batch * pre.len * post.len * 4 * runs) as f64;
            let rate = flops / begun.elapsed().as_secs_f64() / 1e9;
            println!("{:>9} {name:<15} {rate:7.2} GFLOP/s", profile.name());
        }
    }
}

fn training_steps() {
    let net = network(&[784, 500, 10], Activation::HardSigmoid, InputMode::Clamped);
    let settings = Settings { resident: Resident::Never, ..Settings::default() };
    let model = Arc::new(Model::new(net, settings, 128, features(true)).expect("a valid model"));
    for (_, profile) in Profile::NAMES {
        let device = Device::Gpu(device().with_profile(profile));
        let step = seconds_a_step(&model, &device, 10);
        let cost = model.program.cost(PlanId::Step, 3);
        let (ms, rate) = (step * 1e3, cost.flops as f64 / step / 1e9);
        println!("{:>9} {ms:.2} ms a step of {} calls, {rate:.2} GFLOP/s", profile.name(), cost.calls);
    }
}

/// The main job's network on the CPU, 30 steps a presentation, with and without resident weights, interleaved; medians of five.
fn presentations() {
    let net = network(&[784, 300, 100, 10], Activation::HardSigmoid, InputMode::Clamped);
    println!("CPU, {} threads, f32, 784-300-100-10", rayon::current_num_threads());
    for batch in [1, 8, 16, 32, 128] {
        let model = |resident| {
            let settings = Settings { resident, ..Settings::default() };
            let features = Features { unit_range: true, ..features(true) };
            Arc::new(Model::new(net.clone(), settings, batch, features).expect("a valid model"))
        };
        let models = [model(Resident::Never), model(Resident::Always)];
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..5 {
            for (model, times) in models.iter().zip(&mut times) {
                times.push(1e3 * seconds_a_step(model, &Device::Cpu(Precision::F32), 30));
            }
        }
        let [plain, resident] = times.map(|mut t| {
            t.sort_by(f64::total_cmp);
            t[2]
        });
        let ratio = plain / resident;
        println!("batch {batch:>3}: {plain:.3} ms a step plain, {resident:.3} resident, ratio {ratio:.2}");
    }
}

/// Time of a step of training, in presentations of `steps` steps.
fn seconds_a_step(model: &Arc<Model>, device: &Device, steps: usize) -> f64 {
    measure(model, device, steps, Ramp { from: -14.0, to: 22.0 }).0
}

/// Time of a step of training, and the most solver iterations of one step.
fn measure(model: &Arc<Model>, device: &Device, steps: usize, ramp: Ramp) -> (f64, f64) {
    let l = &model.layout;
    let mut engine = Engine::new(Arc::clone(model), device).unwrap_or_else(|e| panic!("{e}"));
    let mut noise = Noise::new(1);
    for &w in &l.weights {
        // Uniform, with the standard deviation 0.05.
        engine.write(w, &noise.fill(model.program.spec(w).len(), 0.0866)).expect("written");
    }
    let values: Vec<f64> = (0..256).map(|v| f64::from(v) / 255.0).collect();
    engine.write(l.pixel_table, &values).expect("written");
    engine.write(l.label_table, &[0.0, 1.0]).expect("written");
    engine.write(l.beta, &vec![0.1; model.program.spec(l.beta).len()]).expect("written");
    engine.set_iterations(3);
    // Other samples in every presentation; half of the pixels are 0.
    let show = |engine: &mut Engine, shift: usize| {
        let pixel = |i: usize| if (i * 37 + shift) % 64 < 32 { 0 } else { (i * (131 + shift) % 251) as u8 };
        let pixels: Vec<u8> = (0..model.program.spec(l.pixels).len()).map(pixel).collect();
        engine.write_bytes(l.pixels, &pixels).expect("written");
        let labels: Vec<u8> = (0..l.batch).map(|i| ((i * 7 + shift) % 10) as u8).collect();
        engine.write_bytes(l.labels, &labels).expect("written");
    };
    let presentation = work(controls(&ramp.values(steps), Gates::default(), 1e-3, 1e-3, l.batch), l.resident);
    show(&mut engine, 0);
    engine.run(&[Work::once(PlanId::Start)]).expect("started");
    engine.run(&presentation).expect("warm");
    let rounds = option("--least").map_or(3, |v| v.parse().expect("--least takes a number"));
    let (mut elapsed, mut most, mut least) = (0.0, 0.0_f64, f64::INFINITY);
    for shift in 1..=rounds {
        show(&mut engine, shift);
        let begun = Instant::now();
        let shot = engine.run(&presentation).expect("measured");
        let took = begun.elapsed().as_secs_f64();
        (elapsed, least) = (elapsed + took, least.min(took));
        most = shot.solver.chunks_exact(solver::LEN).map(|row| row[solver::MOST]).fold(most, f64::max);
    }
    if option("--least").is_some() {
        elapsed = least * rounds as f64;
    }
    (elapsed / (rounds * steps) as f64, most)
}

/// The value after `--name`.
fn option(name: &str) -> Option<String> {
    let mut arguments = std::env::args();
    arguments.find(|a| a == name)?;
    arguments.next()
}

/// Ours for `benches/peers`: one measurement each, of the problem that the peers compute.
fn csv() {
    let sizes = option("--network").unwrap_or_else(|| "784-300-100-10".into());
    let sizes: Vec<usize> =
        sizes.split('-').map(|v| v.parse().expect("--network takes sizes as 784-500-10")).collect();
    let net = network(&sizes, Activation::HardSigmoid, InputMode::Clamped);
    let steps = option("--steps").map_or(100, |v| v.parse().expect("--steps takes a number"));
    let gpu = std::env::args().any(|a| a == "--gpu");
    let on = if gpu { Device::Gpu(device().clone()) } else { Device::Cpu(Precision::F32) };
    let only = option("--plan");
    let batches = option("--batch").unwrap_or_else(|| "1,32,128,512".into());
    for batch in batches.split(',').map(|v| v.parse().expect("--batch takes numbers, separated by commas")) {
        let plans = [("plain", Resident::Never), ("resident", Resident::Always)];
        for (name, resident) in
            plans.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|o| o == *name))
        {
            let settings = Settings { resident, tolerance: 1e-5, ..Settings::default() };
            let features = Features { unit_range: true, ..features(true) };
            let model = Arc::new(Model::new(net.clone(), settings, batch, features).expect("a valid model"));
            let (seconds, iterations) = measure(&model, &on, steps, Ramp::default());
            println!("{name},{batch},{},{iterations}", 1e3 * seconds);
        }
    }
}

fn main() {
    if std::env::args().any(|a| a == "--csv") {
        csv();
        return;
    }
    presentations();
    if std::env::args().any(|a| a == "--cpu") {
        return;
    }
    products();
    training_steps();
}
