//! Speed of products and steps, to be asked for: `cargo test --release --test gpu_speed -- --ignored --nocapture`.

#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

mod gpu_support;

use std::sync::Arc;
use std::time::Instant;

use gpu_support::{Noise, device, features, network};
use lagrange_gpu::dynamics::{Model, Settings};
use lagrange_gpu::engine::{Device, Engine, Work};
use lagrange_gpu::gpu::Profile;
use lagrange_gpu::kernels::{Base, Call, backward, forward, weight_rate};
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::plan::{Elem, Op, Plan, PlanId, StepControl};

#[test]
#[ignore = "a measurement"]
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
            weight_rate::Args { delta: l.delta, r: l.r, w_dot, pre, post, factor: 1.0, clip: None }.into(),
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

#[test]
#[ignore = "a measurement"]
fn training_steps() {
    let net = network(&[784, 500, 10], Activation::HardSigmoid, InputMode::Clamped);
    let model = Arc::new(Model::new(net, Settings::default(), 128, features(true)).expect("a valid model"));
    let l = &model.layout;
    for (_, profile) in Profile::NAMES {
        let mut engine = Engine::new(Arc::clone(&model), &Device::Gpu(device().with_profile(profile)))
            .unwrap_or_else(|e| panic!("{e}"));
        let mut noise = Noise::new(1);
        for &w in &l.weights {
            engine.write(w, &noise.fill(model.program.spec(w).len(), 0.05)).expect("written");
        }
        engine.set_iterations(3);
        let control = StepControl { rate_w: 1e-4, ..StepControl::default() };
        let work = |runs: usize| [Work { plan: PlanId::Step, controls: vec![control; runs] }];
        engine.run(&[Work::once(PlanId::Start)]).expect("started");
        engine.run(&work(3)).expect("warm");
        let begun = Instant::now();
        engine.run(&work(10)).expect("measured");
        let step = begun.elapsed().as_secs_f64() / 10.0;
        let cost = model.program.plan(PlanId::Step).cost(128, 3);
        let (ms, rate) = (step * 1e3, cost.flops as f64 / step / 1e9);
        println!("{:>9} {ms:.2} ms a step of {} calls, {rate:.2} GFLOP/s", profile.name(), cost.calls);
    }
}
