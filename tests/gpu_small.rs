//! Time steps of small networks as a whole on the adapter: against the processor in `f64` and against the plan call by call, the same bits
//! however a run is split, and taken only where they may be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;
mod gpu_support;

use std::sync::Arc;

use common::random::{Rng, network, parameters};
use gpu_support::{EPS, device};
use lagrange_gpu::cpu::status;
use lagrange_gpu::data::series::Format;
use lagrange_gpu::dynamics::{Features, Model, PlasticityInDynamics, Settings, StimulusKind};
use lagrange_gpu::engine::{Device, Engine, Precision, Snapshot, Work};
use lagrange_gpu::gpu::Profile;
use lagrange_gpu::kernels::{record, solver};
use lagrange_gpu::network::{Activation, Architecture, InputMode, Network};
use lagrange_gpu::plan::{PlanId, StepControl};
use lagrange_gpu::train::write_parameters;

const STEPS: usize = 24;
/// Iterations that a loop records: beyond what any step here needs.
const RECORDED: usize = 30;

#[derive(Clone, Copy, PartialEq)]
enum Stimulus {
    Sequence,
    Recording(Format),
    Ramp,
}

#[derive(Clone)]
struct Case {
    network: Network,
    settings: Settings,
    batch: usize,
    learn: bool,
    /// Standard deviation of the weights.
    spread: f64,
    stimulus: Stimulus,
}

fn case(sizes: &[usize], architecture: Architecture, batch: usize) -> Case {
    let mut net = network(sizes, &[], Activation::Sigmoid, InputMode::Driven);
    net.projections = architecture.projections(sizes.len(), false);
    for (k, p) in net.projections.iter_mut().enumerate() {
        p.factor = [1.0, 0.3, 0.0][k % 3];
        p.clip = [Some(0.2), None][k % 2];
    }
    net.populations.iter_mut().skip(1).step_by(2).for_each(|p| p.bias_clip = Some(0.15));
    let settings = Settings { tolerance: 1e-6, max_iterations: 200, ..Settings::default() };
    let (learn, spread, stimulus) = (batch == 1, 0.12, Stimulus::Sequence);
    Case { network: net, settings, batch, learn, spread, stimulus }
}

fn model(case: &Case, whole: bool) -> Arc<Model> {
    let net = &case.network;
    let channels = net.n_in() + net.n_out();
    let features = match case.stimulus {
        Stimulus::Sequence => Features {
            stimulus: StimulusKind::Sequence { steps: STEPS },
            entry_norms: true,
            ..Features::samples(false)
        },
        Stimulus::Recording(format) => {
            Features { beta_rows: 1, ..Features::series(STEPS + 3, format, channels) }
        }
        Stimulus::Ramp => Features { beta_rows: 1, ..Features::values(false) },
    };
    let features = Features { learning: true, ..features };
    let mut model = Model::new(net.clone(), case.settings, case.batch, features).expect("a valid model");
    assert!(model.program.small.is_some(), "a small network");
    if !whole {
        model.program.small = None;
    }
    Arc::new(model)
}

/// At the equilibrium for x = 0, with signals that start from there; of several trajectories the second has no sample.
fn engine(case: &Case, model: &Arc<Model>, device: &Device) -> Engine {
    let (l, net) = (&model.layout, &case.network);
    let mut rng = Rng(3);
    let mut engine = Engine::new(Arc::clone(model), device).unwrap_or_else(|e| panic!("{e}"));
    engine.set_iterations(RECORDED);
    let mut start = parameters(net, case.spread, &mut rng);
    // The same numbers in single and double precision.
    let single = |v: &mut f64| *v = f64::from(*v as f32);
    start.weights.iter_mut().flatten().chain(&mut start.biases).for_each(single);
    write_parameters(&mut engine, &start).expect("written");
    let factors: Vec<f64> = (0..net.neurons()).map(|i| [1.0, 0.5][i % 2]).collect();
    engine.write(l.bias_factors, &factors).expect("written");
    let beta: Vec<f64> = (0..net.n_out()).map(|o| [0.125, 0.0, 0.375][o % 3]).collect();
    engine.write(l.beta, &beta).expect("written");
    engine.run(&[Work::once(PlanId::Start)]).expect("started");
    let rest = engine.read(l.y).expect("read");
    signals(case, &mut engine, &rest, &mut rng);
    if case.batch > 1 {
        let active: Vec<f64> = (0..case.batch).map(|b| if b == 1 { 0.0 } else { 1.0 }).collect();
        engine.write(l.active, &active).expect("written");
    }
    engine
}

/// Slow waves of a channel each that grow from 0; the targets begin at the network's own outputs.
fn signals(case: &Case, engine: &mut Engine, rest: &[f64], rng: &mut Rng) {
    let model = Arc::clone(engine.model());
    let (l, net) = (&model.layout, &case.network);
    let (n_in, n_out) = (net.n_in(), net.n_out());
    let mut wave = |rows: usize, width: usize| -> Vec<f64> {
        let phases: Vec<(f64, f64)> =
            (0..width).map(|_| (rng.uniform(40.0, 200.0), rng.uniform(0.0, 6.3))).collect();
        let at = |t: usize| {
            let lead = t as f64 / rows as f64;
            let one = move |(p, q): &(f64, f64)| lead * 0.5 * (6.3 * t as f64 / p + q).sin();
            phases.iter().map(one).collect::<Vec<_>>()
        };
        (0..rows).flat_map(at).collect()
    };
    match case.stimulus {
        Stimulus::Sequence => {
            let x = wave(STEPS, case.batch * n_in);
            let mut y = wave(STEPS, case.batch * n_out);
            y.chunks_exact_mut(rest.len())
                .for_each(|row| row.iter_mut().zip(rest).for_each(|(y, r)| *y += r));
            engine.write(l.x_seq, &x).expect("written");
            engine.write(l.y_seq, &y).expect("written");
        }
        Stimulus::Recording(format) => {
            let values = wave(STEPS + 3, n_in + n_out);
            let bytes: Vec<u8> = match format {
                Format::I16 => values.iter().flat_map(|v| ((v * 2e4) as i16).to_le_bytes()).collect(),
                Format::F32 => values.iter().flat_map(|v| ((v * 2e4) as f32).to_le_bytes()).collect(),
            };
            engine.write_bytes(l.series, &bytes).expect("written");
            let cursors: Vec<u8> = (0..case.batch as u32).flat_map(|b| (b % 3).to_le_bytes()).collect();
            engine.write_bytes(l.cursor, &cursors).expect("written");
            engine.write(l.series_gain, &vec![5e-5; n_in + n_out]).expect("written");
            // The equilibrium is the same for all trajectories.
            let offset = [vec![0.0; n_in], rest[..n_out].to_vec()].concat();
            engine.write(l.series_offset, &offset).expect("written");
        }
        Stimulus::Ramp => {
            engine.write(l.x_next, &wave(2, case.batch * n_in)[case.batch * n_in..]).expect("written");
            let y: Vec<f64> =
                wave(2, rest.len())[rest.len()..].iter().zip(rest).map(|(y, r)| y + r).collect();
            engine.write(l.y_next, &y).expect("written");
            engine.run(&[Work::once(PlanId::Present)]).expect("presented");
        }
    }
}

/// Steps with a pause in the middle, in which rates rest.
fn work(case: &Case, rows: std::ops::Range<usize>) -> Work {
    let rate = if case.learn { 0.0625 / case.batch as f64 } else { 0.0 };
    let control = |k: usize| {
        let rate = if (15..20).contains(&k) { 0.0 } else { rate };
        // A recording is interpolated between every second pair of rows.
        let (row, ramp) = match case.stimulus {
            Stimulus::Sequence => (k, 1.0),
            Stimulus::Recording(_) => (k / 2, 0.5 * (k % 2) as f64),
            Stimulus::Ramp => (0, (0.125 * (k + 1) as f64).min(1.0)),
        };
        let (row, index) = (row as u32, k as u32);
        StepControl { row, ramp, index, rate_w: rate, rate_b: 0.5 * rate, ..StepControl::default() }
    };
    Work { plan: PlanId::Step, controls: rows.map(control).collect() }
}

/// u, u̇ and its history, u*, b, all weights.
fn state(engine: &mut Engine) -> Vec<Vec<f64>> {
    let l = engine.model().layout.clone();
    let all = [l.u, l.u_dot, l.y, l.biases].into_iter().chain(l.history).chain(l.weights);
    all.map(|buf| engine.read(buf).expect("read")).collect()
}

fn run(case: &Case, whole: bool, device: &Device, steps: usize) -> (Vec<Vec<f64>>, Snapshot, u64) {
    let mut engine = engine(case, &model(case, whole), device);
    let before = engine.dispatches();
    let seen = engine.run(&[work(case, 0..steps)]).expect("steps");
    let dispatches = engine.dispatches() - before;
    assert!(seen.status.iter().all(|&w| w == status::FINE), "{:?}", seen.status);
    let books = seen.solver.chunks_exact(solver::LEN);
    for (b, book) in books.enumerate().filter(|(b, _)| case.batch == 1 || *b != 1) {
        assert_eq!((book[solver::UNCONVERGED], book[solver::INDEFINITE]), (0.0, 0.0), "trajectory {b}");
    }
    (state(&mut engine), seen, dispatches)
}

/// The error of `steps` steps in single precision.
///
/// Norms of random matrices: ‖W‖ ≤ 2σ√n, n the neurons, so with ρ' ≤ `slope` and q = ‖W D‖ the eigenvalues of JᵀJ lie in
/// (1 − q)² … (1 + q)²; β adds at most 0.375, and the bend of ρ less than 0.1 (|ρ''| ≤ 0.1 for sigmoid, Wᵀδ below 1 here). A step solves to a
/// residual ε and rounds products of at most n terms, n + 16 units: κ (ε + (n + 16) u) |u̇|, |u̇| and dt at most 1; the dynamics are stable and
/// keep it.
fn bound(case: &Case, steps: usize) -> f64 {
    let slope = if case.network.activation == Activation::Sigmoid { 0.25 } else { 1.0 };
    let n = case.network.neurons() as f64;
    let q = 2.0 * case.spread * n.sqrt() * slope;
    assert!(q < 0.75, "weights too strong for the bound: {q}");
    let condition = ((1.0 + q).powi(2) + 0.475) / ((1.0 - q).powi(2) - 0.1).max(0.05);
    steps as f64 * condition * (case.settings.tolerance + (n + 16.0) * EPS)
}

fn off(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let both = a.iter().flatten().zip(b.iter().flatten());
    both.map(|(a, b)| (a - b).abs()).fold(0.0, |worst, v| if v.is_nan() { f64::NAN } else { v.max(worst) })
}

fn agree(what: &str, case: &Case) {
    for profile in [Profile::Software, Profile::Small] {
        let gpu = Device::Gpu(device().with_profile(profile));
        for steps in [1, STEPS] {
            let bound = bound(case, steps);
            let (exact, seen, _) = run(case, false, &Device::Cpu(Precision::F64), steps);
            let (plain, wide, many) = run(case, false, &gpu, steps);
            let (whole, book, few) = run(case, true, &gpu, steps);
            println!(
                "{what} {profile:?} {steps}: off by {:.1e} and {:.1e} (bound {bound:.1e}), {many} and {few} dispatches",
                off(&exact, &whole),
                off(&plain, &whole)
            );
            assert!(off(&exact, &whole) <= bound, "{what}: {} over {bound}", off(&exact, &whole));
            assert!(off(&plain, &whole) <= 2.0 * bound, "{what}: {}", off(&plain, &whole));
            books(what, case, [&seen, &wide, &book], bound);
        }
    }
}

/// Metrics of the steps, and no more iterations than call by call, but for steps whose residual ends a rounding from the tolerance.
fn books(what: &str, case: &Case, [exact, wide, whole]: [&Snapshot; 3], bound: f64) {
    let sum = |shot: &Snapshot, column: usize| -> f64 {
        let rows = shot.solver.chunks_exact(solver::LEN).enumerate();
        rows.filter(|(b, _)| case.batch == 1 || *b != 1).map(|(_, row)| row[column]).sum()
    };
    let (most, few) = (sum(wide, solver::TOTAL), sum(whole, solver::TOTAL));
    assert!(few <= 1.05 * most + 1.0, "{what}: {few} iterations, call by call {most}");
    assert!(sum(whole, solver::MOST) <= sum(wide, solver::MOST) + case.batch as f64);
    // Sums over steps and neurons of terms of order 1 with this error each, twice for squares.
    let terms = 2.0 * (STEPS * case.network.neurons()) as f64;
    for (a, b) in exact.record.chunks_exact(record::LEN).zip(whole.record.chunks_exact(record::LEN)) {
        for k in [record::COST, record::ENERGY, record::F_NORM, record::MAX_U, record::SATURATED] {
            assert!((a[k] - b[k]).abs() <= terms * bound, "{what}: record {k}: {} and {}", a[k], b[k]);
        }
    }
}

#[test]
fn whole_steps_agree_with_the_processor_and_call_by_call() {
    for batch in [1, 3] {
        let layered = case(&[5, 21, 33, 14], Architecture::LayeredRecurrent, batch);
        agree("layered", &layered);
        agree("full", &case(&[0, 29, 41], Architecture::FullyRecurrent, batch));
        for format in [Format::I16, Format::F32] {
            agree("recording", &Case { stimulus: Stimulus::Recording(format), ..layered.clone() });
        }
        agree("ramp", &Case { stimulus: Stimulus::Ramp, ..layered });
    }
}

#[test]
fn whole_steps_take_every_setting() {
    let plain = case(&[3, 30, 37], Architecture::LayeredRecurrentRecurrent, 1);
    let with = |what: &str, change: &dyn Fn(&mut Case)| {
        let mut case = plain.clone();
        change(&mut case);
        agree(what, &case);
    };
    with("hard sigmoid", &|c| (c.network.activation, c.spread) = (Activation::HardSigmoid, 0.03));
    with("tanh", &|c| (c.network.activation, c.spread) = (Activation::Tanh, 0.03));
    with("bounded rates", &|c| c.settings.derivative_clip = Some(1e-4));
    with("no plasticity", &|c| c.settings.plasticity_in_dynamics = PlasticityInDynamics::None);
    with("weights alone", &|c| c.settings.plasticity_in_dynamics = PlasticityInDynamics::Weights);
    with("self-connections", &|c| c.network.projections.iter_mut().for_each(|p| p.self_connections = true));
}

/// One submission or many, run after run, another engine in the middle: the same bits. All at once there are more steps than a dispatch
/// may take on a software adapter.
#[test]
fn runs_may_be_split() {
    let large = case(&[0, 60, 90], Architecture::FullyRecurrent, 1);
    let several = case(&[0, 30, 40], Architecture::FullyRecurrent, 3);
    for (case, profile) in
        [(&large, Profile::Software), (&several, Profile::Software), (&several, Profile::Small)]
    {
        let gpu = Device::Gpu(device().with_profile(profile));
        let model = model(case, true);
        let run = |parts: &[usize], change: bool| {
            let mut engine = engine(case, &model, &gpu);
            let mut from = 0;
            for &part in parts {
                engine.run(&[work(case, from..from + part)]).expect("steps");
                from += part;
                if change {
                    let carried = engine.export().expect("exported");
                    engine = Engine::new(Arc::clone(&model), &gpu).expect("an engine");
                    engine.import(&carried).expect("imported");
                    engine.set_iterations(RECORDED);
                    let mut fresh = self::engine(case, &model, &gpu);
                    for buf in
                        [model.layout.x_seq, model.layout.y_seq, model.layout.beta, model.layout.active]
                    {
                        engine.write(buf, &fresh.read(buf).expect("read")).expect("written");
                    }
                }
            }
            assert_eq!(from, STEPS);
            state(&mut engine)
        };
        let whole = run(&[STEPS], false);
        assert_eq!(whole, run(&[STEPS], false), "again");
        assert_eq!(whole, run(&[1; STEPS], false), "one by one");
        assert_eq!(whole, run(&[7, 1, 9, 7], false), "in parts");
        assert_eq!(whole, run(&[11, 13], true), "on another engine");
    }
}

/// Few dispatches where steps run as a whole; weights that several trajectories share are learned call by call.
#[test]
fn whole_steps_are_taken_where_they_may_be() {
    let gpu = Device::Gpu(device());
    let one = case(&[0, 30, 40], Architecture::FullyRecurrent, 1);
    let several = case(&[0, 30, 40], Architecture::FullyRecurrent, 3);
    for case in [&one, &several] {
        let (_, _, many) = run(case, false, &gpu, STEPS);
        let (_, _, few) = run(case, true, &gpu, STEPS);
        // An iteration alone takes several calls, and a step records 30 of them.
        assert!(many as usize > 100 * STEPS, "{many}");
        // How many steps are submitted at a time depends on the time that they take.
        assert!(few as usize <= 2 * STEPS, "{few}");
    }
    let learning = Case { learn: true, ..several };
    let (plain, _, many) = run(&learning, false, &gpu, STEPS);
    let (mixed, _, fewer) = run(&learning, true, &gpu, STEPS);
    // The five steps of the pause are whole, all others are not.
    assert!(many * 18 / 24 < fewer && fewer < many, "{fewer} of {many}");
    assert!(off(&plain, &mixed) <= 2.0 * bound(&learning, STEPS));
}

/// A voltage that is not finite is named, and so is a target.
#[test]
fn bad_numbers_are_named() {
    let case = case(&[0, 30, 40], Architecture::FullyRecurrent, 1);
    let model = model(&case, true);
    let l = &model.layout;
    let words = |engine: &mut Engine| {
        let seen = engine.run(&[work(&case, 0..5)]).expect("steps");
        [status::STATE, status::LIMIT, status::INPUT].map(|kind| status::decode(seen.status[kind], 70))
    };
    let mut bad = engine(&case, &model, &Device::Gpu(device()));
    let mut y = bad.read(l.y_seq).expect("read");
    y[3 * 40 + 7] = f64::NAN;
    bad.write(l.y_seq, &y).expect("written");
    let [state, _, input] = words(&mut bad);
    assert_eq!(input, Some((3, 70 + 7)), "the target of output 7 in step 3");
    assert_eq!(state.map(|(step, _)| step), Some(3));
    let mut far = engine(&case, &model, &Device::Gpu(device()));
    let mut u = far.read(l.u).expect("read");
    u[11] = 1e9;
    far.write(l.u, &u).expect("written");
    let [_, limit, _] = words(&mut far);
    assert_eq!(limit.map(|(step, _)| step), Some(0));
}
