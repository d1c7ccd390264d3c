//! Time steps of small networks as a whole against their plain twin, call by call; the same bits however a run is split.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::sync::Arc;

use common::random::{Rng, network, parameters};
use lagrange_gpu::dynamics::{Features, Model, PlasticityInDynamics, Settings, Solver, StimulusKind};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
use lagrange_gpu::kernels::solver;
use lagrange_gpu::network::{Activation, Architecture, InputMode, Network};
use lagrange_gpu::plan::{PlanId, StepControl};
use lagrange_gpu::train::write_parameters;

/// Through three inversions of the mean of H.
const STEPS: usize = 70;

#[derive(Clone)]
struct Case {
    network: Network,
    settings: Settings,
    batch: usize,
    precision: Precision,
    learn: bool,
}

fn case(sizes: &[usize], architecture: Architecture, batch: usize, precision: Precision) -> Case {
    let mut net = network(sizes, &[], Activation::Sigmoid, InputMode::Driven);
    net.projections = architecture.projections(sizes.len(), false);
    for (k, p) in net.projections.iter_mut().enumerate() {
        p.factor = [1.0, 0.3, 0.0][k % 3];
        p.clip = [Some(0.25), None][k % 2];
    }
    let tolerance = if precision == Precision::F64 { 1e-12 } else { 1e-6 };
    let settings = Settings { tolerance, max_iterations: 200, ..Settings::default() };
    Case { network: net, settings, batch, precision, learn: true }
}

fn model(case: &Case, small: bool) -> Arc<Model> {
    let features = Features {
        stimulus: StimulusKind::Sequence { steps: STEPS },
        learning: true,
        entry_norms: true,
        ..Features::samples(false)
    };
    let mut model =
        Model::new(case.network.clone(), case.settings, case.batch, features).expect("a valid model");
    assert!(model.program.small.is_some(), "a small network");
    if !small {
        model.program.small = None;
    }
    Arc::new(model)
}

fn engine(case: &Case, model: &Arc<Model>) -> Engine {
    let l = &model.layout;
    let net = &case.network;
    let mut rng = Rng(3);
    let mut engine = Engine::new(Arc::clone(model), &Device::Cpu(case.precision)).expect("an engine");
    write_parameters(&mut engine, &parameters(net, 0.12, &mut rng)).expect("written");
    engine.write(l.bias_factors, &vec![1.0; net.neurons()]).expect("written");
    let beta: Vec<f64> = (0..net.n_out()).map(|o| [0.1, 0.0, 0.4][o % 3]).collect();
    engine.write(l.beta, &beta).expect("written");
    engine.run(&[Work::once(PlanId::Start)]).expect("started");
    let wave = |rng: &mut Rng, width: usize| -> Vec<f64> {
        let phases: Vec<(f64, f64)> =
            (0..width).map(|_| (rng.uniform(40.0, 200.0), rng.uniform(0.0, 6.3))).collect();
        (0..STEPS)
            .flat_map(|t| {
                let lead = t as f64 / STEPS as f64;
                phases
                    .iter()
                    .map(move |(p, q)| lead * 0.5 * (6.3 * t as f64 / p + q).sin())
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    engine.write(l.x_seq, &wave(&mut rng, case.batch * net.n_in())).expect("written");
    let rest = engine.read(l.y).expect("read");
    let mut y = wave(&mut rng, case.batch * net.n_out());
    y.chunks_exact_mut(rest.len()).for_each(|row| row.iter_mut().zip(&rest).for_each(|(y, r)| *y += r));
    engine.write(l.y_seq, &y).expect("written");
    if case.batch > 4 {
        let mut active = vec![1.0; case.batch];
        active[case.batch - 2] = 0.0;
        engine.write(l.active, &active).expect("written");
    }
    engine
}

fn work(case: &Case, rows: std::ops::Range<usize>) -> Work {
    let rate = if case.learn { 0.01 / case.batch as f64 } else { 0.0 };
    // A pause in the middle, in which rates rest.
    let control = |row: usize| {
        let rate = if (20..25).contains(&row) { 0.0 } else { rate };
        StepControl {
            row: row as u32,
            index: row as u32,
            rate_w: rate,
            rate_b: rate,
            ..StepControl::default()
        }
    };
    Work { plan: PlanId::Step, controls: rows.map(control).collect() }
}

/// u, u̇, all weights, b.
fn state(engine: &mut Engine) -> Vec<Vec<f64>> {
    let l = engine.model().layout.clone();
    let all = [l.u, l.u_dot, l.biases].into_iter().chain(l.weights);
    all.map(|buf| engine.read(buf).expect("read")).collect()
}

/// Both end within the bound of a residual ε at every step: an error ε κ(H) |u̇| each, κ below 100 with weights this small, T steps that keep
/// what has gone before (the dynamics are stable), and the same again for the other run; |u̇| and dt are below 1.
fn agree(case: &Case) -> f64 {
    let bound = 2.0 * 100.0 * case.settings.tolerance * STEPS as f64;
    let (mut ends, mut iterations) = (Vec::new(), Vec::new());
    for small in [false, true] {
        let model = model(case, small);
        let mut engine = engine(case, &model);
        let seen = engine.run(&[work(case, 0..STEPS)]).expect("steps");
        assert!(seen.status.iter().all(|&w| w == lagrange_gpu::cpu::status::FINE));
        for book in seen.solver.chunks_exact(solver::LEN) {
            assert_eq!(book[solver::UNCONVERGED], 0.0);
            assert_eq!(book[solver::INDEFINITE], 0.0);
        }
        iterations.push(seen.solver.chunks_exact(solver::LEN).map(|b| b[solver::TOTAL]).sum::<f64>());
        ends.push(state(&mut engine));
    }
    let mut worst = 0.0_f64;
    for (plain, small) in ends[0].iter().zip(&ends[1]) {
        for (i, (a, b)) in plain.iter().zip(small).enumerate() {
            worst = worst.max((a - b).abs());
            assert!((a - b).abs() <= bound, "element {i}: {a} and {b}, bound {bound:e}");
        }
    }
    println!("off by {worst:.1e} (bound {bound:.1e}), iterations {iterations:?}");
    worst
}

/// One trajectory, some that run one by one, groups that are full and not, Ẇ in factors and formed, driven inputs.
#[test]
fn whole_steps_agree_with_their_plain_twin() {
    for precision in [Precision::F64, Precision::F32] {
        for batch in [1, 2, 3, 16, 33, 70] {
            print!("layered {precision:?} {batch}: ");
            agree(&case(&[5, 21, 33, 14], Architecture::LayeredRecurrent, batch, precision));
            print!("full {precision:?} {batch}: ");
            agree(&case(&[0, 29, 41], Architecture::FullyRecurrent, batch, precision));
        }
    }
}

#[test]
fn whole_steps_take_every_setting() {
    let plain = case(&[3, 30, 37], Architecture::LayeredRecurrentRecurrent, 5, Precision::F64);
    let with = |change: &dyn Fn(&mut Case)| {
        for batch in [1, 5] {
            let mut case = Case { batch, ..plain.clone() };
            change(&mut case);
            agree(&case);
        }
    };
    with(&|c| c.learn = false);
    with(&|c| c.network.activation = Activation::HardSigmoid);
    with(&|c| c.network.activation = Activation::Tanh);
    with(&|c| c.settings.derivative_clip = Some(1e-4));
    with(&|c| c.settings.plasticity_in_dynamics = PlasticityInDynamics::None);
    with(&|c| c.settings.plasticity_in_dynamics = PlasticityInDynamics::Weights);
    with(&|c| c.network.projections.iter_mut().for_each(|p| p.self_connections = true));
}

/// One submission or many, a fresh engine in the middle, one thread or more: the same bits.
#[test]
fn runs_may_be_split() {
    for batch in [1, 9, 40] {
        let case = case(&[0, 30, 40], Architecture::FullyRecurrent, batch, Precision::F32);
        let run = |threads: usize, parts: &[usize], change: bool| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                let model = model(&case, true);
                let mut engine = engine(&case, &model);
                let mut from = 0;
                for &part in parts {
                    engine.run(&[work(&case, from..from + part)]).expect("steps");
                    from += part;
                    if change {
                        let carried = engine.export().expect("exported");
                        engine =
                            Engine::new(Arc::clone(&model), &Device::Cpu(case.precision)).expect("an engine");
                        engine.import(&carried).expect("imported");
                    }
                }
                state(&mut engine)
            })
        };
        let whole = run(1, &[STEPS], false);
        assert_eq!(whole, run(1, &[1, 30, 9, 30], false), "batch {batch}: in parts");
        assert_eq!(whole, run(1, &[33, 37], true), "batch {batch}: on another engine");
        assert_eq!(whole, run(2, &[STEPS], false), "batch {batch}: two threads");
        assert_eq!(whole, run(3, &[40, 30], false), "batch {batch}: three threads");
    }
}

/// P is packed where the processor multiplies it so. What a checkpoint holds of it in the other way, here without meaning, is made anew; the bound
/// is that of [`agree`].
#[test]
fn a_checkpoint_of_another_processor_goes_on() {
    let case = case(&[0, 30, 40], Architecture::FullyRecurrent, 9, Precision::F32);
    let bound = 2.0 * 100.0 * case.settings.tolerance * STEPS as f64;
    let run = |moved: bool| {
        let model = model(&case, true);
        let mut before = engine(&case, &model);
        before.run(&[work(&case, 0..40)]).expect("steps");
        let mut carried = before.export().expect("exported");
        for c in carried.iter_mut().filter(|_| moved) {
            match c.name.as_str() {
                "H^-1" => c.values.fill(1e30),
                "age of H^-1" if c.values[0].fract() == 0.0 => c.values[0] += 0.5,
                "age of H^-1" => c.values[0] = c.values[0].floor(),
                _ => {}
            }
        }
        let mut after = Engine::new(Arc::clone(&model), &Device::Cpu(case.precision)).expect("an engine");
        after.import(&carried).expect("imported");
        let seen = after.run(&[work(&case, 40..STEPS)]).expect("steps");
        for book in seen.solver.chunks_exact(solver::LEN) {
            assert_eq!(book[solver::UNCONVERGED], 0.0);
        }
        state(&mut after)
    };
    for (here, there) in run(false).iter().flatten().zip(run(true).iter().flatten()) {
        assert!((here - there).abs() <= bound, "{here} and {there}");
    }
}

/// What is asked for by name, and what the whole step does not know, stays with the plain plan.
#[test]
fn other_networks_keep_the_plain_plan() {
    let small = |change: &dyn Fn(&mut Case)| {
        let mut case = case(&[0, 30, 40], Architecture::FullyRecurrent, 1, Precision::F64);
        change(&mut case);
        let features = Features::samples(false);
        Model::new(case.network, case.settings, 1, features).expect("a valid model").program.small.is_some()
    };
    assert!(small(&|_| {}));
    assert!(!small(&|c| c.settings.solver = Solver::Cg));
    assert!(!small(&|c| c.settings.hard_targets = true));
    assert!(!small(&|c| c.network.projections.retain(|p| p.pre < p.post)));
    assert!(!small(&|c| c.network.populations[2].size = 400));
    // H is probed in every step there.
    assert!(!small(&|c| c.network.populations[2].size = 20));
}
