//! Time steps of layered networks with resident weights as a whole on the adapter: against the processor in `f64` and against the plan call by
//! call, the same bits however a run is split, few dispatches.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;
mod gpu_support;

use std::sync::Arc;

use common::random::{Rng, network, parameters};
use gpu_support::{EPS, device};
use lagrange_gpu::dynamics::{Features, Model, PlasticityInDynamics, Resident, Settings};
use lagrange_gpu::engine::{Device, Engine, Precision, Snapshot, Watch, Work};
use lagrange_gpu::gpu::Profile;
use lagrange_gpu::kernels::solver;
use lagrange_gpu::network::{Activation, InputMode, Network};
use lagrange_gpu::plan::{PlanId, StepControl};
use lagrange_gpu::train::{Gates, Ramp, controls, work, write_parameters};

/// Steps of a presentation, and presentations.
const STEPS: usize = 12;
const PRESENTATIONS: usize = 3;
/// Iterations that a loop records: beyond what any step here needs.
const RECORDED: usize = 12;
/// Largest β.
const BETA: f64 = 0.375;

#[derive(Clone)]
struct Case {
    network: Network,
    settings: Settings,
    batch: usize,
    /// Standard deviation of the weights.
    spread: f64,
    /// η and η_b per ms.
    rates: [f64; 2],
    /// β of the outputs, in turn.
    beta: [f64; 3],
}

fn case(sizes: &[usize], batch: usize) -> Case {
    let edges: Vec<_> = (1..sizes.len()).map(|p| (p - 1, p)).collect();
    let mut network = network(sizes, &edges, Activation::HardSigmoid, InputMode::Rates);
    let last = network.projections.len() - 1;
    for (k, p) in network.projections.iter_mut().enumerate() {
        p.factor = [1.0, 0.75, 0.5][k % 3];
        // One with a clip, which resident weights cannot have.
        p.clip = (k == last && k > 0).then_some(0.03125);
    }
    network.populations[last + 1].bias_clip = Some(0.125);
    let settings = Settings { tolerance: 1e-6, resident: Resident::Always, ..Settings::default() };
    let widest = sizes[1..].iter().max().copied().unwrap_or(1) as f64;
    let spread = (0.3 / (2.0 * widest.sqrt())).min(0.125);
    Case { network, settings, batch, spread, rates: [0.125, 0.0625], beta: [0.125, 0.0, BETA] }
}

fn model(case: &Case, whole: bool) -> Arc<Model> {
    let features = Features::training(true);
    let mut model =
        Model::new(case.network.clone(), case.settings, case.batch, features).expect("a valid model");
    assert!(model.program.layered.is_some(), "a layered network");
    if !whole {
        model.program.layered = None;
    }
    Arc::new(model)
}

/// The same numbers in single and double precision.
fn single(v: f64) -> f64 {
    f64::from(v as f32)
}

fn engine(case: &Case, model: &Arc<Model>, device: &Device) -> Engine {
    let (l, net) = (&model.layout, &case.network);
    let mut engine = Engine::new(Arc::clone(model), device).unwrap_or_else(|e| panic!("{e}"));
    engine.set_iterations(RECORDED.min(case.settings.max_iterations));
    let mut start = parameters(net, case.spread, &mut Rng(5));
    start.weights.iter_mut().flatten().chain(&mut start.biases).for_each(|v| *v = single(*v));
    write_parameters(&mut engine, &start).expect("written");
    let factors: Vec<f64> = (0..net.neurons()).map(|i| [1.0, 0.5][i % 2]).collect();
    engine.write(l.bias_factors, &factors).expect("written");
    // Free, then nudged.
    let beta = (0..2 * net.n_out()).map(|o| if o < net.n_out() { 0.0 } else { case.beta[o % 3] });
    engine.write(l.beta, &beta.collect::<Vec<_>>()).expect("written");
    let table: Vec<f64> = (0..256).map(|v| single(f64::from(v) / 255.0)).collect();
    engine.write(l.pixel_table, &table).expect("written");
    engine.write(l.label_table, &[0.125, 0.875]).expect("written");
    engine.run(&[Work::once(PlanId::Start)]).expect("started");
    engine
}

/// Work of a mini-batch: the first steps do not learn, then are not nudged. Every third trajectory of the second one has no sample.
fn presentation(case: &Case, engine: &mut Engine, p: usize) -> Vec<Work> {
    let l = engine.model().layout.clone();
    let (n_in, n_out) = (case.network.n_in(), case.network.n_out());
    let pixel = |i: usize| if i.is_multiple_of(5) { 0 } else { ((i + 7) * (p + 3) * 37 % 256) as u8 };
    engine.write_bytes(l.pixels, &(0..case.batch * n_in).map(pixel).collect::<Vec<_>>()).expect("written");
    let labels: Vec<u8> = (0..case.batch).map(|b| ((b + p) % n_out) as u8).collect();
    engine.write_bytes(l.labels, &labels).expect("written");
    let active: Vec<f64> = (0..case.batch).map(|b| if p == 1 && b % 3 == 2 { 0.0 } else { 1.0 }).collect();
    engine.write(l.active, &active).expect("written");
    let count = active.iter().filter(|a| **a != 0.0).count();
    let gates = Gates { nudge_from: 0.3, learn_from: 0.1 };
    let [rate_w, rate_b] = case.rates;
    let ramp = Ramp { from: -10.0, to: 18.0 }.values(STEPS);
    work(controls(&ramp, gates, rate_w, rate_b, count), l.resident)
}

/// What carries over, what the submissions left, and the dispatches of the steps with resident weights.
type Outcome = (Vec<(String, Vec<f64>)>, Vec<Snapshot>, u64);

/// All presentations, each in pieces of so many steps.
fn run(case: &Case, whole: bool, device: &Device, piece: usize) -> Outcome {
    let model = model(case, whole);
    let mut engine = engine(case, &model, device);
    let (mut shots, mut dispatches) = (Vec::new(), 0);
    for p in 0..PRESENTATIONS {
        for Work { plan, controls } in presentation(case, &mut engine, p) {
            let before = engine.dispatches();
            for some in controls.chunks(piece) {
                shots.push(engine.run(&[Work { plan, controls: some.to_vec() }]).expect("steps"));
            }
            if plan == PlanId::ResidentStep {
                dispatches += engine.dispatches() - before;
            }
        }
    }
    (state(&mut engine), shots, dispatches)
}

fn state(engine: &mut Engine) -> Vec<(String, Vec<f64>)> {
    // Rates of change are no state of whole steps.
    let kept = |name: &str| !name.starts_with("W_dot") && name != "b_dot";
    let all = engine.export().expect("read").into_iter().filter(|c| kept(&c.name));
    all.map(|c| (c.name, c.values)).collect()
}

/// The error in single precision, relative to 1 + |value|.
///
/// Norms of random matrices: ‖W‖ ≤ 2σ√n for n neurons in the larger layer, q = ‖W D‖ ≤ 0.3 as weights are drawn; what is learned adds less
/// than 0.1. The eigenvalues of JᵀJ lie in (1 − q)² … (1 + q)², β adds at most 0.375: their ratio κ. A solution to a residual ε is off by κ ε |u̇|, and
/// ∫|u̇|dt is at most 2 a presentation (from one side of [0, 1] to the other and back). A product rounds n terms, whose sum of sizes is at most
/// 1, to (n + 16) units; f decays with τ = 10 steps, and so does what was rounded. Sums over the trajectories are means.
fn bound(case: &Case) -> f64 {
    let n = case.network.populations.iter().map(|p| p.size).max().unwrap_or(0).max(case.batch) as f64;
    let q = 0.4_f64;
    let condition = ((1.0 + q).powi(2) + BETA) / (1.0 - q).powi(2);
    let (presentations, decay) = (PRESENTATIONS as f64, 10.0);
    condition * (2.0 * presentations * case.settings.tolerance + decay * (n + 16.0) * EPS)
}

fn off(a: &Outcome, b: &Outcome) -> (f64, String) {
    let mut worst = (0.0, String::new());
    assert!(!a.0.is_empty() && a.0.len() == b.0.len());
    for ((name, a), (other, b)) in a.0.iter().zip(&b.0) {
        assert_eq!((name, a.len()), (other, b.len()));
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            let diff = (a - b).abs() / (1.0 + a.abs());
            if diff > worst.0 || diff.is_nan() {
                worst =
                    (if diff.is_nan() { f64::INFINITY } else { diff }, format!("{name}[{i}]: {a} and {b}"));
            }
        }
    }
    worst
}

fn agree(what: &str, case: &Case, profiles: &[Profile]) {
    let exact = run(case, false, &Device::Cpu(Precision::F64), STEPS);
    for &profile in profiles {
        let gpu = Device::Gpu(device().with_profile(profile));
        let bound = bound(case);
        let plain = run(case, false, &gpu, STEPS);
        let whole = run(case, true, &gpu, STEPS);
        let (far, near) = (off(&exact, &whole), off(&plain, &whole));
        let sizes = case.network.sizes();
        println!(
            "{what} {sizes} batch {} {profile:?}: off by {:.1e} and {:.1e} (bound {bound:.1e}), {} and {} dispatches",
            case.batch, far.0, near.0, plain.2, whole.2
        );
        assert!(far.0 <= bound, "{what} {sizes} batch {} {profile:?}: {far:?} over {bound}", case.batch);
        assert!(near.0 <= 2.0 * bound, "{what} {sizes} batch {} {profile:?}: {near:?}", case.batch);
        assert!(whole.2 < plain.2, "as a whole: {} and {} dispatches", plain.2, whole.2);
        for (a, b) in exact.1.iter().zip(&whole.1) {
            books(case, a, b, 10.0 * bound);
        }
    }
}

/// Status, iterations and metrics of a submission.
fn books(case: &Case, exact: &Snapshot, whole: &Snapshot, bound: f64) {
    assert_eq!(exact.status, whole.status);
    for (a, b) in exact.solver.chunks_exact(solver::LEN).zip(whole.solver.chunks_exact(solver::LEN)) {
        // An iteration more or less where a residual is close to the tolerance.
        assert!((a[solver::MOST] - b[solver::MOST]).abs() <= 1.0, "{a:?} {b:?}");
        assert!((a[solver::TOTAL] - b[solver::TOTAL]).abs() <= STEPS as f64, "{a:?} {b:?}");
        assert_eq!(a[solver::INDEFINITE], b[solver::INDEFINITE]);
        if case.settings.max_iterations == 1 {
            assert_eq!(a[solver::UNCONVERGED], b[solver::UNCONVERGED]);
        }
    }
    for (a, b) in exact.record.iter().zip(&whole.record) {
        assert!((a - b).abs() <= bound * (1.0 + a.abs()), "metric {a} for {b}");
    }
}

const ALL: [Profile; 2] = [Profile::Software, Profile::Small];
const NETS: [&[usize]; 4] = [&[12, 37, 18, 5], &[9, 50, 3], &[20, 4], &[5, 3, 2, 1, 2]];

#[test]
fn as_the_processor_and_call_by_call() {
    for sizes in NETS {
        for (batch, profiles) in [(1, &ALL[..]), (3, &ALL[..1]), (17, &ALL[1..]), (40, &ALL[..1])] {
            agree("whole", &case(sizes, batch), profiles);
        }
    }
}

/// A lane has several neurons of a layer, four of them at once; groups of one trajectory, where four would not fit.
#[test]
fn wide_layers() {
    agree("several a lane", &case(&[6, 90, 70, 33], 5), &ALL);
    agree("groups of one", &case(&[6, 720, 4], 3), &[Profile::Software]);
    agree("four a lane", &case(&[6, 600, 4], 2), &[Profile::Small]);
}

#[test]
fn whatever_the_settings() {
    for batch in [1, 6] {
        let with = |what: &str, change: &dyn Fn(&mut Case)| {
            let mut case = case(NETS[0], batch);
            change(&mut case);
            agree(what, &case, &ALL[..1]);
        };
        with("linear", &|c| c.network.activation = Activation::Linear);
        with("ReLU", &|c| c.network.activation = Activation::Relu);
        with("no plasticity", &|c| c.settings.plasticity_in_dynamics = PlasticityInDynamics::None);
        with("weights alone", &|c| c.settings.plasticity_in_dynamics = PlasticityInDynamics::Weights);
        with("a layer that does not learn", &|c| c.network.projections[1].factor = 0.0);
        with("an input that does not learn", &|c| c.network.projections[0].factor = 0.0);
        with("biases do not learn", &|c| c.rates[1] = 0.0);
        with("nothing learns", &|c| c.rates = [0.0; 2]);
        with("not nudged", &|c| c.beta = [0.0; 3]);
        with("one iteration", &|c| c.settings.max_iterations = 1);
    }
}

/// Each part of a step moves the outcome by far more than the bound.
#[test]
fn nothing_of_a_step_is_below_the_bound() {
    let plain = case(NETS[0], 3);
    let exact = |case: &Case| run(case, false, &Device::Cpu(Precision::F64), STEPS);
    let whole = exact(&plain);
    let with = |what: &str, change: &dyn Fn(&mut Case)| {
        let mut other = plain.clone();
        change(&mut other);
        let far = off(&whole, &exact(&other)).0;
        println!("{what}: {far:.1e}");
        assert!(far > 2.0 * bound(&plain), "{what}: {far}, bound {}", bound(&plain));
    };
    with("plasticity in the dynamics", &|c| {
        c.settings.plasticity_in_dynamics = PlasticityInDynamics::None;
    });
    with("biases in the dynamics", &|c| {
        c.settings.plasticity_in_dynamics = PlasticityInDynamics::Weights;
    });
    with("W of the input", &|c| c.network.projections[0].factor = 0.0);
    with("W of a layer", &|c| c.network.projections[1].factor = 0.0);
    with("bound of W", &|c| c.network.projections[2].clip = None);
    with("biases", &|c| c.rates[1] = 0.0);
    with("bound of biases", &|c| c.network.populations[3].bias_clip = None);
    with("nudging", &|c| c.beta = [0.0; 3]);
    with("iterations", &|c| c.settings.max_iterations = 1);
}

/// One submission or many, run after run: the same bits.
#[test]
fn runs_may_be_split() {
    for (batch, profile) in [(1, ALL[0]), (9, ALL[0]), (9, ALL[1])] {
        let case = case(NETS[0], batch);
        let gpu = Device::Gpu(device().with_profile(profile));
        let whole = run(&case, true, &gpu, STEPS).0;
        assert_eq!(whole, run(&case, true, &gpu, STEPS).0, "again");
        for piece in [1, 3, 5] {
            assert_eq!(whole, run(&case, true, &gpu, piece).0, "pieces of {piece}");
        }
    }
}

/// Without plasticity a trajectory does not depend on the others: the same bits in a group of four and alone.
#[test]
fn the_size_of_a_group_changes_nothing() {
    let gpu = Device::Gpu(device());
    let voltages = |batch: usize| {
        let case = Case { rates: [0.0; 2], ..case(NETS[0], batch) };
        let all = run(&case, true, &gpu, STEPS).0;
        let u = all.into_iter().find(|(name, _)| name == "u").expect("u").1;
        u[..case.network.neurons()].to_vec()
    };
    let alone = voltages(1);
    assert!(alone.iter().any(|v| *v != 0.0));
    assert_eq!(alone, voltages(4));
    assert_eq!(alone, voltages(7));
}

/// One voltage that is no number is named as in the plain plan: step, trajectory and neuron.
#[test]
fn a_bad_voltage_is_noted() {
    for (batch, trajectory) in [(1, 0), (9, 6)] {
        let case = Case { rates: [0.0; 2], ..case(NETS[0], batch) };
        let status = |whole: bool, device: &Device| {
            let model = model(&case, whole);
            let mut engine = engine(&case, &model, device);
            let all = presentation(&case, &mut engine, 0);
            let stretch = |w: &&Work| w.plan == PlanId::ResidentStep;
            let begun: Vec<Work> = all.iter().take_while(|w| !stretch(w)).cloned().collect();
            engine.run(&begun).expect("steps");
            let mut u = engine.read(model.layout.u).expect("read");
            u[trajectory * case.network.neurons() + case.network.n_in()] = f64::NAN;
            engine.write(model.layout.u, &u).expect("written");
            let work: Vec<Work> = all.iter().filter(stretch).cloned().collect();
            assert!(!work.is_empty(), "a stretch");
            engine.run(&work).expect("steps").status
        };
        let plain = status(false, &Device::Cpu(Precision::F32));
        assert!(plain.iter().any(|&word| word != u32::MAX));
        assert_eq!(status(true, &Device::Gpu(device())), plain);
    }
}

/// Rates beyond all measure: the same trajectories are named.
#[test]
fn what_goes_wrong_is_noted() {
    for batch in [1, 20] {
        let mut case = case(NETS[0], batch);
        case.network.activation = Activation::Linear;
        let status = |whole: bool, device: &Device| {
            let model = model(&case, whole);
            let mut engine = engine(&case, &model, device);
            let mut all = presentation(&case, &mut engine, 0);
            let explosive = |c: &mut StepControl| c.rate_w = 1e6;
            all.iter_mut()
                .filter(|w| w.plan == PlanId::ResidentStep)
                .for_each(|w| w.controls.iter_mut().for_each(explosive));
            engine.run(&all).expect("steps").status
        };
        let gpu = Device::Gpu(device());
        let (plain, whole) = (status(false, &gpu), status(true, &gpu));
        assert!(plain.iter().any(|&word| word != u32::MAX));
        for (a, b) in plain.iter().zip(&whole) {
            assert_eq!(*a == u32::MAX, *b == u32::MAX);
        }
    }
}

/// Two dispatches a step, and a few for each submission. Counted as they are recorded and as they are watched.
#[test]
fn a_step_takes_few_dispatches() {
    let gpu = Device::Gpu(device());
    for (whole, watch) in [(true, Watch::Off), (true, Watch::Submissions), (false, Watch::Off)] {
        let case = case(&[784, 300, 100, 10], 4);
        let model = model(&case, whole);
        let mut engine = engine(&case, &model, &gpu);
        engine.watch(watch).expect("watched");
        let all = presentation(&case, &mut engine, 0);
        let mut count = 0;
        for work in all {
            let before = engine.dispatches();
            engine.run(std::slice::from_ref(&work)).expect("steps");
            if work.plan == PlanId::ResidentStep {
                count = engine.dispatches() - before;
            }
        }
        let steps = STEPS as u64 - 1;
        if whole {
            // How many steps are submitted at a time depends on the time that they take: at worst one.
            assert!(count <= 5 * steps, "{count} dispatches of {steps} steps");
        } else {
            assert!(count > 25 * steps, "{count} dispatches of {steps} steps, call by call");
        }
        if watch == Watch::Submissions {
            let timings = engine.timings();
            let calls = |kernel: &str| {
                timings.kernels.iter().filter(|k| k.kernel == kernel).map(|k| k.calls).sum::<f64>()
            };
            assert_eq!(calls("layered_step") + calls("layered_learn") + calls("layered_carry"), count as f64);
            // One of each step; the first of a submission senses alone.
            assert!(calls("layered_step") >= (steps + 1) as f64);
        }
    }
}
