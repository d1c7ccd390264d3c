//! A training step of a fully recurrent population: solver iterations against ‖W D‖₂, time against dense products of the same size.
//!
//! `cargo bench --bench recurrent [-- NEURONS]` (default 4,096). Batch 32, f32 on the processor, tolerance 1e-5, moving targets on 64 of
//! the neurons. A dense product is `[32, N] × [N, N]`, run after each step. Times are medians, but for the share of the steps that by count are
//! products: six, and two an iteration; it compares each step with the product after it, so that a change of clocks hits both. On Linux also the
//! largest resident size of a step, beyond that of the process before the engine was made.

#![allow(clippy::expect_used, clippy::panic)] // A bench fails by panicking.

use std::sync::Arc;
use std::time::Instant;

use lagrange_gpu::dynamics::{Features, Model, Settings, StimulusKind};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
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
        "| bound on the norm of W D | iterations, first two steps | later, at most | step, ms | dense product, ms | step / product | step / counted products |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
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
    drop((weights, target));
    let mut steps = Vec::new();
    // From here on the largest size is that of the steps.
    let marked = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    for row in 0..STEPS as u32 {
        let control = StepControl { row, rate_w: 1e-4 / BATCH as f64, ..StepControl::default() };
        let mut timed = |work: Work| {
            let begun = Instant::now();
            let snapshot = engine.run(&[work]).expect("a run");
            (1e3 * begun.elapsed().as_secs_f64(), snapshot)
        };
        let (time, snapshot) = timed(Work { plan: PlanId::Step, controls: vec![control] });
        let books = snapshot.solver.chunks_exact(solver::LEN);
        let iterations = books.clone().map(|b| b[solver::MOST]).fold(0.0, f64::max);
        assert_eq!(books.map(|b| b[solver::UNCONVERGED]).sum::<f64>(), 0.0, "every trajectory converges");
        let (product, _) = timed(Work::once(PlanId::Observe));
        steps.push(Step { iterations, time, product });
    }
    if let (true, Some(before), Some(most)) = (marked, before, size("VmHWM:")) {
        eprintln!("‖W D‖ {norm}: at most {:.1} MiB in a step; {}", most - before, shares(model));
    }
    // The solver starts from the u̇ that the last two steps let expect.
    let (first, later) = steps.split_at(2);
    let most = |steps: &[Step]| steps.iter().map(|s| s.iterations).fold(0.0, f64::max);
    let median = |of: fn(&Step) -> f64| {
        let mut all: Vec<f64> = later.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!(
        "| {norm} | {} | {} | {:.1} | {:.2} | {:.1} | {:.2} |",
        most(first),
        most(later),
        median(|s| s.time),
        median(|s| s.product),
        median(|s| s.time / s.product),
        median(|s| s.time / s.product / (6.0 + 2.0 * s.iterations)),
    );
}

/// A time step, and the product after it.
struct Step {
    iterations: f64,
    time: f64,
    product: f64,
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
