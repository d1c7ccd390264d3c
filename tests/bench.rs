//! What is counted and timed while plans run: the calls of the plan, no more and no less, and no other results.
#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

mod gpu_support;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use gpu_support::{Noise, device};
use lagrange_gpu::bench::{Case, Effort, Layered, PlanChoice, Subject, measure};
use lagrange_gpu::dynamics::{Integrator, Model};
use lagrange_gpu::engine::{Device, Engine, Precision, WAITING, Watch, Work};
use lagrange_gpu::kernels::solver;
use lagrange_gpu::network::{Activation, Architecture};
use lagrange_gpu::plan::{Buf, Elem, PlanId, StepControl};
use lagrange_gpu::tune::Request;

const STEPS: usize = 3;

fn case(sizes: &[usize], plan: PlanChoice, learn: bool) -> Case {
    let how = Layered {
        architecture: Architecture::LayeredFeedforward,
        activation: Activation::HardSigmoid,
        dt_ms: 1.0,
        tolerance: 1e-5,
    };
    Case {
        subject: Arc::new(Subject::layered(sizes, how)),
        integrator: Integrator::Exact,
        plan,
        learn,
        batch: 9,
        steps: STEPS,
        device: 0,
        precision: Precision::F32,
        threads: Some(2),
        tiles: Request::Usual,
    }
}

/// Without plasticity no call is left out or done in factors: two threads and an adapter run what the plans say, over whole presentations.
#[test]
fn what_runs_is_what_the_plans_say() {
    let case = case(&[6, 4, 3], PlanChoice::Plain, false);
    let (model, runs) = case.model().expect("a valid case");
    assert_eq!(runs, "plain");
    let effort = Effort { repetitions: 1, least_s: 0.0, warm_s: 0.0 };
    let stop = AtomicBool::new(false);
    for device in [Device::Cpu(Precision::F32), Device::Gpu(device())] {
        let found = measure(&case, &device, effort, &stop).expect("measured").expect("not stopped");
        let cost = |iterations| {
            let step = model.program.cost(PlanId::Step, iterations);
            let once = model.program.cost(PlanId::Present, 0) + model.program.cost(PlanId::Observe, 0);
            (step, once)
        };
        let (step, once) = cost(0);
        let body = cost(1).0.flops - step.flops;
        // What is left after the part that does not iterate is iterations.
        let all = found.work.flops * STEPS as f64;
        let iterations = (all - (STEPS as u64 * step.flops + once.flops) as f64) / body as f64;
        let mean = iterations / STEPS as f64;
        if matches!(device, Device::Cpu(_)) {
            // The lanes leave the loop on their own, each after some whole number of iterations in each step.
            assert!((1.0..=model.settings.max_iterations as f64).contains(&mean), "{mean}");
            assert!((found.iterations - mean).abs() < 3.0, "{mean} and {}", found.iterations);
        } else {
            // The same number in every step, two more than needed at least.
            assert!((mean - mean.round()).abs() < 1e-9 && mean >= found.iterations + 2.0, "{mean}");
            assert!(found.busy_s.is_none_or(|s| s > 0.0));
        }
        let calls = |iterations| {
            let (step, once) = cost(iterations);
            (STEPS as u64 * step.calls + once.calls) as f64
        };
        let per_iteration = (calls(1) - calls(0)) / STEPS as f64;
        let expected = calls(0) + iterations * per_iteration;
        assert!((found.work.calls * STEPS as f64 - expected).abs() < 1e-6 * expected);
        assert!(found.allocated > 4 * model.network.weights() as u64);
    }
}

/// All real buffers and the solver's books after a few steps.
fn after_steps(model: &Arc<Model>, device: &Device, watch: Watch) -> (Vec<Vec<f64>>, Vec<String>) {
    let mut engine = Engine::new(Arc::clone(model), device).unwrap_or_else(|e| panic!("{e}"));
    let mut noise = Noise::new(3);
    let real = |i: usize| {
        let spec = &model.program.buffers[i];
        spec.elem == Elem::Real && !spec.is_empty()
    };
    let bufs: Vec<Buf> =
        (0..model.program.buffers.len()).filter(|&i| real(i)).map(|i| Buf(i as u16)).collect();
    let l = &model.layout;
    // The inverse of H and its age are state that steps keep to themselves.
    for &buf in bufs.iter().filter(|&&buf| ![l.active, l.inverse, l.age].contains(&buf)) {
        engine.write(buf, &noise.fill(model.program.spec(buf).len(), 0.1)).expect("written");
    }
    engine
        .write(model.layout.beta, &vec![0.1; model.program.spec(model.layout.beta).len()])
        .expect("written");
    engine.watch(watch).expect("watched");
    let control = |k: u32| StepControl { index: k, rate_w: 1e-3, rate_b: 1e-3, ..StepControl::default() };
    let work = [Work { plan: PlanId::Step, controls: (0..4).map(control).collect() }];
    let shot = engine.run(&work).expect("steps");
    assert!(shot.solver.chunks_exact(solver::LEN).all(|row| row[solver::TOTAL] > 0.0));
    let seen = engine.timings();
    assert!(engine.timings().kernels.is_empty(), "told once");
    let mut all: Vec<Vec<f64>> = bufs.iter().map(|&buf| engine.read(buf).expect("read")).collect();
    all.push(shot.solver);
    let kernels = seen.kernels.into_iter().filter(|k| k.kernel != WAITING);
    (all, kernels.inspect(|k| assert!(k.seconds >= 0.0 && k.calls > 0.0)).map(|k| k.kernel).collect())
}

/// A network that steps as a whole, on the processor and on an adapter.
fn recurrent() -> Case {
    let how = Layered {
        architecture: Architecture::FullyRecurrent,
        activation: Activation::Sigmoid,
        dt_ms: 1.0,
        tolerance: 1e-5,
    };
    let subject = Arc::new(Subject::layered(&[0, 70], how));
    Case { subject, batch: 1, ..case(&[2, 2], PlanChoice::Auto, true) }
}

#[test]
fn watching_changes_no_bit() {
    for (case, kernel, runs) in
        [(case(&[6, 4, 3], PlanChoice::Plain, true), "integrate", "plain"), (recurrent(), "small_", "whole")]
    {
        let (model, found) = case.model().expect("a valid case");
        assert_eq!(found, runs);
        let model = Arc::new(model);
        for device in [Device::Cpu(Precision::F64), Device::Cpu(Precision::F32), Device::Gpu(device())] {
            let (plain, none) = after_steps(&model, &device, Watch::Off);
            assert!(none.is_empty());
            let on_gpu = matches!(device, Device::Gpu(_));
            for watch in [Watch::Submissions, Watch::Kernels] {
                let (watched, kernels) = after_steps(&model, &device, watch);
                assert_eq!(plain, watched, "{watch:?} on {}", device.name());
                let seen = kernels.iter().any(|k| k.starts_with(kernel));
                assert_eq!(seen, on_gpu || watch == Watch::Kernels, "{kernels:?}");
            }
        }
    }
}
