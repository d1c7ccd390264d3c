//! Each kernel of a training step on the CPU in f32, on the shapes of 784-300-100-10: `cargo bench --bench kernels`.
//!
//! The calls are those of the plans, one of each kernel and shape, in the state that a presentation leaves. Solver iterations are left out: they
//! change with what they are given (`cargo bench --bench step` has them).

#![allow(clippy::expect_used)] // A bench fails by panicking.

mod common;

use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use lagrange_gpu::dynamics::{Model, Resident};
use lagrange_gpu::engine::Work;
use lagrange_gpu::kernels::Call;
use lagrange_gpu::plan::{Op, Plan, PlanId, StepControl};
use lagrange_gpu::train::{Gates, Ramp, controls, work};

const PLANS: [PlanId; 6] = [
    PlanId::Present,
    PlanId::Step,
    PlanId::Observe,
    PlanId::ResidentStart,
    PlanId::ResidentStep,
    PlanId::ResidentEnd,
];

/// Name and shape of a call: `forward 300x784`.
fn label(model: &Model, call: &Call) -> String {
    let (name, spec) = (call.name(), |buf| model.program.spec(buf));
    let weights = match call {
        Call::Forward(a) => spec(a.w),
        Call::Backward(a) => spec(a.w),
        Call::WeightRate(a) => spec(a.w_dot),
        Call::ResidentApply(a) => spec(a.w),
        Call::Update(a) => spec(a.p),
        Call::Rates(a) => return format!("{name} {}", a.cols.len),
        Call::Copy(a) => return format!("{name} {}", a.len),
        _ => return name.to_owned(),
    };
    let gated = match call {
        Call::Forward(a) => a.gate.is_some(),
        Call::Backward(a) => a.gate.is_some(),
        _ => false,
    };
    format!("{name} {}x{}{}", weights.rows, weights.cols, if gated { " gated" } else { "" })
}

/// One call of each label, in the order of the plans.
fn calls(model: &Model) -> Vec<(String, Call)> {
    let mut all: Vec<(String, Call)> = Vec::new();
    for op in PLANS.iter().flat_map(|&id| &model.program.plan(id).ops) {
        if let Op::Call(call) = op {
            let label = label(model, call);
            if all.iter().all(|(known, _)| *known != label) {
                all.push((label, call.clone()));
            }
        }
    }
    all
}

fn kernels(c: &mut Criterion) {
    for batch in [1, 16, 128] {
        let model = common::model(batch, Resident::Always);
        let mut group = c.benchmark_group(format!("batch {batch}"));
        group.sample_size(10).warm_up_time(Duration::from_millis(50));
        group.measurement_time(Duration::from_millis(200));
        let ramp = Ramp { from: -14.0, to: 46.0 }.values(30);
        let presentation = work(controls(&ramp, Gates::default(), 1e-3, 1e-3, batch), true);
        // Half-way up the ramp. At rate 0 some kernels have nothing to do; at this one, repetition does not carry values away.
        let rate = 1e-6;
        let control =
            StepControl { ramp: 0.5, ramp_prev: 0.4, rate_w: rate, rate_b: rate, ..StepControl::default() };
        for (label, call) in calls(&model) {
            // The plan that no presentation uses is replaced by the one call.
            let mut model = model.clone();
            model.program.plans[PlanId::Predict as usize] = Plan { ops: vec![Op::Call(call)] };
            let mut engine = common::engine(&Arc::new(model));
            engine.run(&presentation).expect("presented");
            group.bench_function(BenchmarkId::from_parameter(label), |b| {
                b.iter_custom(|n| {
                    let work = Work { plan: PlanId::Predict, controls: vec![control; n as usize] };
                    common::time(&mut engine, &[work])
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
