//! A training step of a fully recurrent population: solver iterations against ‖W D‖₂, time against dense products of the same size.
//!
//! `cargo bench --bench recurrent [-- NEURONS]` (default 4,096). Batch 32, f32 on the processor, tolerance 1e-5, moving targets on 64 of
//! the neurons. A dense product is `[32, N] × [N, N]`, the best of five. On Linux also the largest resident size of a step, beyond that of the
//! process before the engine was made.

#![allow(clippy::expect_used, clippy::panic)] // A bench fails by panicking.

use std::sync::Arc;
use std::time::Instant;

use lagrange_gpu::dynamics::{Features, Model, Settings, StimulusKind};
use lagrange_gpu::engine::{Device, Engine, KernelTime, Precision, Watch, Work};
use lagrange_gpu::kernels::{Base, forward, solver};
use lagrange_gpu::network::{Activation, InputMode, Network, Population, Projection};
use lagrange_gpu::plan::{BufferSpec, Op, Plan, PlanId, StepControl};

const BATCH: usize = 32;
const STEPS: usize = 12;
const NUDGED: usize = 64;

/// A size in `/proc/self/status`, MiB.
fn size(of: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(of))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

fn main() {
    let neurons = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(4096);
    let population =
        |name: &str, size| Population { name: name.into(), size, bias_factor: 1.0, bias_clip: None };
    let network = Network {
        populations: vec![population("input", 0), population("cortex", neurons)],
        projections: vec![Projection::between(1, 1)],
        activation: Activation::Tanh,
        input: InputMode::Driven,
        microcircuit: None,
    };
    let features = Features {
        stimulus: StimulusKind::Sequence { steps: STEPS },
        learning: true,
        ..Features::samples(false)
    };
    let settings = Settings { tolerance: 1e-5, ..Settings::default() };
    let mut model = Model::new(network, settings, BATCH, features).expect("a valid model");
    let l = model.layout.clone();
    let cols = model.network.cols(1);
    let product = forward::Args {
        w: l.weights[0],
        x: l.r,
        gate: None,
        base: Base::Zero,
        out: l.a,
        pre: cols,
        post: cols,
        scale: 1.0,
    };
    model.program.plans[PlanId::Observe as usize] = Plan { ops: vec![Op::Call(product.into())] };
    let model = Arc::new(model);
    println!("{neurons} neurons, batch {BATCH}, CPU f32, {} threads", rayon::current_num_threads());
    println!(
        "| bound on the norm of W D | iterations, first two steps | later, at most | step, ms | dense product, ms | products |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for norm in [0.1, 0.25, 0.5, 0.75] {
        measure(&model, norm);
    }
}

fn measure(model: &Arc<Model>, norm: f64) {
    let l = &model.layout;
    let n = model.network.neurons();
    let before = size("VmRSS:");
    let mut engine =
        Engine::new(Arc::clone(model), &Device::Cpu(Precision::F32)).unwrap_or_else(|e| panic!("{e}"));
    // A square matrix of independent entries of standard deviation σ has the norm 2σ√n; |ρ'| ≤ 1. Uniform entries: σ = range/√3.
    let sigma = norm / (2.0 * (n as f64).sqrt());
    let mut state = 1_u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 30) as f64 - 1.0
    };
    let weights: Vec<f64> =
        (0..n * n).map(|i| if i / n == i % n { 0.0 } else { 3_f64.sqrt() * sigma * uniform() }).collect();
    engine.write(l.weights[0], &weights).expect("written");
    engine.write(l.u, &(0..BATCH * n).map(|_| 0.5 * uniform()).collect::<Vec<_>>()).expect("written");
    let beta: Vec<f64> = (0..n).map(|i| if i < NUDGED { 0.1 } else { 0.0 }).collect();
    engine.write(l.beta, &beta).expect("written");
    let phase: Vec<f64> = (0..BATCH * n).map(|_| 3.0 * uniform()).collect();
    let target: Vec<f64> = (0..STEPS)
        .flat_map(|t| phase.iter().map(move |p| 0.3 * (0.1 * t as f64 + p).sin()).collect::<Vec<_>>())
        .collect();
    engine.write(l.y_seq, &target).expect("written");
    engine.write(l.y, &phase.iter().map(|p| 0.3 * (p - 0.1).sin()).collect::<Vec<_>>()).expect("written");
    let (mut iterations, mut times) = (Vec::new(), Vec::new());
    drop((weights, target));
    // From here on the largest size is that of the steps.
    let marked = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    for row in 0..STEPS as u32 {
        let control = StepControl { row, rate_w: 1e-4 / BATCH as f64, ..StepControl::default() };
        let begun = Instant::now();
        let snapshot = engine.run(&[Work { plan: PlanId::Step, controls: vec![control] }]).expect("a step");
        times.push(1e3 * begun.elapsed().as_secs_f64());
        let books = snapshot.solver.chunks_exact(solver::LEN);
        iterations.push(books.clone().map(|b| b[solver::MOST]).fold(0.0, f64::max));
        assert_eq!(books.map(|b| b[solver::UNCONVERGED]).sum::<f64>(), 0.0, "every trajectory converges");
    }
    engine.watch(Watch::Kernels).expect("watched");
    let control = StepControl { row: STEPS as u32 - 1, rate_w: 1e-4 / BATCH as f64, ..StepControl::default() };
    engine.run(&[Work { plan: PlanId::Step, controls: vec![control] }]).expect("a step");
    let kernels = engine.timings().kernels;
    let of = |k: &KernelTime| format!("{} {:.0} × {:.2}", k.kernel, k.calls, 1e3 * k.seconds / k.calls);
    eprintln!("kernels of a step, ms: {}", kernels.iter().map(of).collect::<Vec<_>>().join(", "));
    engine.watch(Watch::default()).expect("not watched");
    if let (true, Some(before), Some(most)) = (marked, before, size("VmHWM:")) {
        eprintln!("‖W D‖ {norm}: at most {:.1} MiB in a step; {}", most - before, shares(model));
    }
    let mut product = f64::INFINITY;
    for _ in 0..5 {
        let begun = Instant::now();
        engine.run(&[Work::once(PlanId::Observe)]).expect("a product");
        product = product.min(1e3 * begun.elapsed().as_secs_f64());
    }
    // The solver starts from the u̇ that the last two steps let expect.
    let most = |steps: &[f64]| steps.iter().fold(0.0_f64, |m, v| m.max(*v));
    let (first, later) = (most(&iterations[..2]), most(&iterations[2..]));
    times[1..].sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!("| {norm} | {first} | {later} | {median:.1} | {product:.2} | {:.1} |", median / product);
}

/// What the buffers of the model take in f32.
fn shares(model: &Model) -> String {
    let (n, mib) = (model.network.neurons(), |len: usize| len as f64 / f64::from(1 << 18));
    let state = |s: &&BufferSpec| (s.rows, s.cols) == (BATCH, n) && !s.name.starts_with("u*");
    let all = model.program.buffers.iter();
    format!(
        "weights {:.1}, {} arrays of states {:.1}, targets of all steps {:.1}",
        mib(n * n),
        all.clone().filter(state).count(),
        mib(all.clone().filter(state).map(BufferSpec::len).sum()),
        mib(all.filter(|s| s.name.starts_with("u*")).map(BufferSpec::len).sum()),
    )
}
