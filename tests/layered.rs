//! Time steps of layered networks as a whole against their plain twin, call by call; the same bits however a run is split.
//!
//! In f64 the difference is rounding (1e-16) times the growth over the steps of a stable system; 1e-11 leaves four digits for it and for the
//! sums over the trajectories. In f32 2²⁹ times that, 5e-3 at worst, with voltages and weights of order 1: 2e-4 is asked. What weights learn is summed
//! in shorter numbers on some processors (`learning-products`), 3·2⁻¹⁶ of its absolute terms off at most: in 36 steps, at rates of 0.05 a step and
//! δ and r̄ of order 1, 36·0.05·3·2⁻¹⁶ = 8e-5 at most, within the same bound.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::sync::Arc;

use common::random::{Rng, network, parameters};
use lagrange_gpu::dynamics::{
    Features, LearningProducts, Model, PlasticityInDynamics, Resident, Settings, Solver,
};
use lagrange_gpu::engine::{Device, Engine, Precision, Snapshot, Work};
use lagrange_gpu::kernels::solver;
use lagrange_gpu::network::{Activation, InputMode, Network};
use lagrange_gpu::plan::{Elem, PlanId, StepControl};
use lagrange_gpu::train::{Gates, Ramp, controls, work, write_parameters};

const STEPS: usize = 12;

#[derive(Clone)]
struct Case {
    network: Network,
    settings: Settings,
    batch: usize,
    precision: Precision,
}

fn case(sizes: &[usize], activation: Activation, batch: usize, precision: Precision) -> Case {
    let mut network = {
        let edges: Vec<_> = (1..sizes.len()).map(|p| (p - 1, p)).collect();
        network(sizes, &edges, activation, InputMode::Rates)
    };
    let last = network.projections.len() - 1;
    for (k, p) in network.projections.iter_mut().enumerate() {
        p.factor = [1.0, 0.3, 0.6][k % 3];
        // One with a clip, which resident weights cannot have.
        p.clip = (k == last && k > 0).then_some(0.3);
    }
    network.populations[last + 1].bias_clip = Some(0.2);
    let tolerance = if precision == Precision::F64 { 1e-13 } else { 1e-6 };
    let settings = Settings { tolerance, resident: Resident::Always, ..Settings::default() };
    Case { network, settings, batch, precision }
}

fn model(case: &Case, layered: bool) -> Arc<Model> {
    let features = Features::training(true);
    let mut model =
        Model::new(case.network.clone(), case.settings, case.batch, features).expect("a valid model");
    assert!(model.program.layered.is_some(), "a layered network");
    if !layered {
        model.program.layered = None;
    }
    Arc::new(model)
}

fn engine(case: &Case, model: &Arc<Model>) -> Engine {
    let (l, net) = (&model.layout, &case.network);
    let mut rng = Rng(5);
    let mut engine = Engine::new(Arc::clone(model), &Device::Cpu(case.precision)).expect("an engine");
    // Neither explodes while it learns.
    let sd = if net.neurons() > 1000 { 0.03 } else { 0.25 };
    write_parameters(&mut engine, &parameters(net, sd, &mut rng)).expect("written");
    engine.write(l.bias_factors, &vec![0.7; net.neurons()]).expect("written");
    let beta: Vec<f64> = (0..2 * net.n_out()).map(|o| [0.1, 0.0, 0.4][o % 3]).collect();
    engine.write(l.beta, &beta).expect("written");
    engine
        .write(l.pixel_table, &(0..256).map(|v| f64::from(v) / 255.0).collect::<Vec<_>>())
        .expect("written");
    engine.write(l.label_table, &[0.1, 0.9]).expect("written");
    engine.run(&[Work::once(PlanId::Start)]).expect("started");
    engine
}

/// Work of a mini-batch: the first steps do not learn, but in the third one. Every third trajectory of the second one has no sample, nor has the last of
/// one or two.
fn presentation(case: &Case, engine: &mut Engine, p: usize) -> Vec<Work> {
    let l = engine.model().layout.clone();
    let (n_in, n_out) = (case.network.n_in(), case.network.n_out());
    let pixels: Vec<u8> = (0..case.batch * n_in)
        .map(|i| if i % 5 == 0 { 0 } else { ((i + 7) * (p + 3) * 37 % 256) as u8 })
        .collect();
    engine.write_bytes(l.pixels, &pixels).expect("written");
    engine
        .write_bytes(l.labels, &(0..case.batch).map(|b| ((b + p) % n_out) as u8).collect::<Vec<_>>())
        .expect("written");
    let active: Vec<f64> = (0..case.batch)
        .map(|b| if p == 1 && (b % 3 == 2 || case.batch <= 2 && b + 1 == case.batch) { 0.0 } else { 1.0 })
        .collect();
    engine.write(l.active, &active).expect("written");
    let count = active.iter().filter(|a| **a != 0.0).count().max(1);
    let gates = Gates { nudge_from: 0.3, learn_from: if p == 2 { 0.0 } else { 0.1 } };
    work(controls(&Ramp { from: -10.0, to: 18.0 }.values(STEPS), gates, 0.05, 0.03, count), l.resident)
}

/// What carries over, and what the submissions left.
type Outcome = (Vec<(String, Vec<f64>)>, Vec<Snapshot>);

/// Three presentations, each in pieces of so many steps.
fn run(case: &Case, layered: bool, piece: usize) -> Outcome {
    let model = model(case, layered);
    let mut engine = engine(case, &model);
    let mut shots = Vec::new();
    for p in 0..3 {
        for Work { plan, controls } in presentation(case, &mut engine, p) {
            for some in controls.chunks(piece) {
                shots.push(engine.run(&[Work { plan, controls: some.to_vec() }]).expect("steps"));
            }
        }
    }
    let all = engine.export().expect("read").into_iter().filter(|c| !c.name.starts_with("W_dot"));
    (all.map(|c| (c.name, c.values)).collect(), shots)
}

fn compare(case: &Case) {
    let (plain, shots) = run(case, false, STEPS);
    let (whole, ours) = run(case, true, STEPS);
    let bound = if case.precision == Precision::F64 { 1e-11 } else { 2e-4 };
    for ((name, a), (_, b)) in plain.iter().zip(&whole).filter(|((name, _), _)| name != "b_dot") {
        let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).fold(0.0, f64::max);
        assert!(
            worst <= bound,
            "{}, batch {}: {name} differs by {worst:e}",
            case.network.sizes(),
            case.batch
        );
    }
    for (a, b) in shots.iter().zip(&ours) {
        assert_eq!(a.status, b.status);
        for (a, b) in a.solver.chunks_exact(solver::LEN).zip(b.solver.chunks_exact(solver::LEN)) {
            // An iteration more or less where a residual is close to the tolerance.
            assert!((a[solver::MOST] - b[solver::MOST]).abs() <= 1.0, "{a:?} {b:?}");
            assert_eq!(a[solver::INDEFINITE], b[solver::INDEFINITE]);
        }
        for (a, b) in a.record.iter().zip(&b.record) {
            assert!((a - b).abs() <= 10.0 * bound * (1.0 + a.abs()), "metric {a} for {b}");
        }
    }
}

/// The last one has too many outputs for an estimate of the inverse, and with few trajectories layers whose Ẇ comes by its factors.
const NETS: [&[usize]; 5] = [&[12, 37, 18, 5], &[9, 50, 3], &[20, 4], &[5, 3, 2, 1, 2], &[6, 90, 70, 40]];

#[test]
fn as_the_plain_twin_in_f64() {
    for sizes in NETS {
        for batch in [1, 2, 9, 21, 40] {
            compare(&case(sizes, Activation::HardSigmoid, batch, Precision::F64));
        }
    }
    for activation in [Activation::Linear, Activation::Relu] {
        compare(&case(NETS[0], activation, 11, Precision::F64));
        compare(&case(NETS[0], activation, 1, Precision::F64));
    }
}

#[test]
fn as_the_plain_twin_in_f32() {
    for batch in [1, 2, 12, 16, 33, 70] {
        compare(&case(NETS[0], Activation::HardSigmoid, batch, Precision::F32));
    }
    for batch in [16, 32, 33, 48, 128] {
        compare(&case(NETS[4], Activation::HardSigmoid, batch, Precision::F32));
    }
    // Whatever the processor has.
    for batch in [48, 70] {
        let mut case = case(NETS[0], Activation::HardSigmoid, batch, Precision::F32);
        case.settings.learning_products = LearningProducts::Full;
        compare(&case);
    }
}

/// Many trajectories learn in shorter numbers where the processor multiplies those, and only where they are asked to.
#[test]
fn learning_products_are_a_choice() {
    let bits = |batch: usize, products: LearningProducts| {
        let mut case = case(NETS[4], Activation::HardSigmoid, batch, Precision::F32);
        case.settings.learning_products = products;
        run(&case, true, STEPS).0
    };
    let same = |batch: usize| bits(batch, LearningProducts::Auto) == bits(batch, LearningProducts::Full);
    assert!(same(32), "too few to fill tiles");
    assert_eq!(same(33), !lagrange_gpu::cpu::has_tiles(), "where there are tiles, they are used");
}

#[test]
fn whatever_of_the_plasticity_is_in_the_dynamics() {
    for plasticity_in_dynamics in [PlasticityInDynamics::None, PlasticityInDynamics::Weights] {
        for (sizes, batch) in [(NETS[0], 1), (NETS[0], 10), (NETS[4], 10)] {
            let mut case = case(sizes, Activation::HardSigmoid, batch, Precision::F64);
            case.settings.plasticity_in_dynamics = plasticity_in_dynamics;
            case.network.projections[1].factor = 0.0;
            compare(&case);
        }
        for (sizes, batch) in [(NETS[0], 48), (NETS[4], 70)] {
            let mut case = case(sizes, Activation::HardSigmoid, batch, Precision::F32);
            case.settings.plasticity_in_dynamics = plasticity_in_dynamics;
            case.network.projections[1].factor = 0.0;
            compare(&case);
        }
    }
}

/// Few trajectories that leave most of a group empty are left to the plain twin: 3 to 11 in f32, 3 to 5 in f64.
#[test]
fn few_trajectories_step_as_the_plain_twin() {
    for (batch, precision) in [(3, Precision::F32), (7, Precision::F32), (4, Precision::F64)] {
        let case = case(NETS[0], Activation::HardSigmoid, batch, precision);
        assert!(run(&case, true, STEPS).0 == run(&case, false, STEPS).0, "batch {batch}");
    }
}

/// A single trajectory shares passes over its resident weights between the plans of a presentation, in one submission or many.
#[test]
fn whole_presentations_of_a_single_trajectory() {
    for sizes in NETS {
        for precision in [Precision::F32, Precision::F64] {
            let case = case(sizes, Activation::HardSigmoid, 1, precision);
            let together = |layered: bool| {
                let model = model(&case, layered);
                let mut engine = engine(&case, &model);
                for p in 0..4 {
                    let work = presentation(&case, &mut engine, p);
                    engine.run(&work).expect("steps");
                }
                let all = engine.export().expect("read").into_iter();
                let kept = all.filter(|c| !c.name.starts_with("W_dot") && c.name != "b_dot");
                kept.map(|c| (c.name, c.values)).collect::<Vec<_>>()
            };
            let (plain, whole) = (together(false), together(true));
            let bound = if precision == Precision::F64 { 1e-11 } else { 2e-4 };
            for ((name, a), (_, b)) in plain.iter().zip(&whole) {
                let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).fold(0.0, f64::max);
                assert!(worst <= bound, "{}: {name} differs by {worst:e}", case.network.sizes());
            }
        }
    }
}

/// One panel, panels of one thread, of several; an odd number of groups; single trajectories; weights of each thread and shared ones.
#[test]
fn the_same_bits_on_any_number_of_threads_and_in_any_pieces() {
    let many = [1, 2, 9, 12, 16, 32, 48, 70, 100, 130].map(|batch| (NETS[0], batch));
    // Factors on one thread and two; a block of weights beyond the caches.
    let others: [(&[usize], usize); 4] =
        [(NETS[4], 16), (NETS[4], 32), (NETS[4], 33), (&[12, 520, 520, 5], 1)];
    let auto = many.into_iter().chain(others).map(|(sizes, batch)| (sizes, batch, LearningProducts::Auto));
    let full = [(NETS[4], 33), (NETS[0], 48), (NETS[0], 70), (NETS[0], 130)];
    let full = full.into_iter().map(|(sizes, batch)| (sizes, batch, LearningProducts::Full));
    for (sizes, batch, products) in auto.chain(full) {
        let mut case = case(sizes, Activation::HardSigmoid, batch, Precision::F32);
        case.settings.learning_products = products;
        let on = |threads: usize, piece: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| run(&case, true, piece).0)
        };
        let whole = on(1, STEPS);
        let together = {
            let model = model(&case, true);
            let mut engine = engine(&case, &model);
            for p in 0..3 {
                let work = presentation(&case, &mut engine, p);
                engine.run(&work).expect("steps");
            }
            let all = engine.export().expect("read").into_iter().filter(|c| !c.name.starts_with("W_dot"));
            all.map(|c| (c.name, c.values)).collect::<Vec<_>>()
        };
        assert!(whole == together, "{sizes:?}, batch {batch}: in one submission");
        for (threads, piece) in [(2, STEPS), (3, STEPS), (1, 1), (2, 5)] {
            assert!(whole == on(threads, piece), "{sizes:?}, batch {batch}: {threads} threads, {piece}");
        }
    }
}

/// A voltage that is not finite is named: step, trajectory and neuron as in the plain plan.
#[test]
fn what_goes_wrong_is_noted() {
    for batch in [1, 20, 40] {
        let case = case(NETS[0], Activation::Linear, batch, Precision::F32);
        let status = |layered: bool| {
            let model = model(&case, layered);
            let mut engine = engine(&case, &model);
            let mut all = presentation(&case, &mut engine, 0);
            let explosive = |c: &mut StepControl| c.rate_w = 1e6;
            all.iter_mut()
                .filter(|w| w.plan == PlanId::ResidentStep)
                .for_each(|w| w.controls.iter_mut().for_each(explosive));
            engine.run(&all).expect("steps").status
        };
        let (plain, whole) = (status(false), status(true));
        assert!(plain.iter().any(|&word| word != u32::MAX));
        for (a, b) in plain.iter().zip(&whole) {
            assert_eq!(*a == u32::MAX, *b == u32::MAX);
        }
    }
}

/// After weights that are no numbers come such that are: nothing of the former stays beside them.
#[test]
fn what_goes_wrong_can_be_made_good() {
    for batch in [1, 2, 20, 40] {
        let case = case(NETS[0], Activation::Linear, batch, Precision::F32);
        for layered in [false, true] {
            let model = model(&case, layered);
            let mut engine = engine(&case, &model);
            let kept: Vec<_> = engine.export().expect("read");
            let mut all = presentation(&case, &mut engine, 0);
            all.iter_mut().for_each(|w| w.controls.iter_mut().for_each(|c| c.rate_w = 1e30));
            engine.run(&all).expect("steps");
            let finite = |engine: &mut Engine| {
                let all = engine.export().expect("read");
                all.iter()
                    .filter(|c| c.name.starts_with("W "))
                    .all(|c| c.values.iter().all(|v| v.is_finite()))
            };
            assert!(!finite(&mut engine), "batch {batch}: weights have grown beyond all bounds");
            engine.import(&kept).expect("written");
            let work = presentation(&case, &mut engine, 0);
            engine.run(&work).expect("steps");
            assert!(finite(&mut engine), "batch {batch}, as a whole: {layered}");
        }
    }
}

/// One voltage that is no number, between finite ones in every place of a vector, for each number of threads: named as in the plain plan.
#[test]
fn a_single_bad_voltage_is_not_forgotten() {
    let case = case(NETS[0], Activation::HardSigmoid, 32, Precision::F32);
    let status = |layered: bool| {
        let model = model(&case, layered);
        let mut engine = engine(&case, &model);
        let all = presentation(&case, &mut engine, 0);
        // The stretch of whole steps alone, without plasticity, which would carry the trouble to all.
        let stretch = |w: &&Work| w.plan == PlanId::ResidentStep;
        let begun: Vec<Work> = all.iter().take_while(|w| !stretch(w)).cloned().collect();
        engine.run(&begun).expect("steps");
        let mut u = engine.read(model.layout.u).expect("read");
        let (trajectory, neuron) = (3, case.network.n_in());
        u[trajectory * case.network.neurons() + neuron] = f64::NAN;
        engine.write(model.layout.u, &u).expect("written");
        let mut work: Vec<Work> = all.iter().filter(stretch).cloned().collect();
        assert!(!work.is_empty(), "a stretch");
        work.iter_mut().flat_map(|w| &mut w.controls).for_each(|c| (c.rate_w, c.rate_b) = (0.0, 0.0));
        engine.run(&work).expect("steps").status
    };
    let plain = status(false);
    assert!(plain.iter().any(|&word| word != u32::MAX));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        assert_eq!(pool.install(|| status(true)), plain, "{threads} threads");
    }
}

#[test]
fn only_where_it_applies() {
    let of = |case: &Case, features: Features| {
        let model = Model::new(case.network.clone(), case.settings, case.batch, features).expect("valid");
        assert!(model.program.spec(model.layout.u).elem == Elem::Real);
        model.program.layered.is_some()
    };
    let case = case(NETS[0], Activation::HardSigmoid, 4, Precision::F32);
    assert!(of(&case, Features::training(true)));
    assert!(!of(&case, Features::samples(true)), "nothing is learned");
    let mut dense = case.clone();
    dense.settings.solver = Solver::Dense;
    assert!(!of(&dense, Features::training(true)));
    let mut plain = case.clone();
    plain.settings.resident = Resident::Never;
    assert!(!of(&plain, Features::training(true)));
    let mut skips = case;
    skips.network.projections.push(lagrange_gpu::network::Projection::between(0, 2));
    assert!(!of(&skips, Features::training(true)));
}
