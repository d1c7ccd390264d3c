//! Tests of shared buffers: a model in which nothing is shared computes the same bits, whatever lies in scratch between two steps.
//!
//! The processor refuses a kernel that writes what it also reads under another name (`Lane::take`), so that the same runs show that every
//! call is legal.

#![allow(clippy::unwrap_used, clippy::panic)] // A test fails by panicking.

use std::sync::Arc;

use super::{Features, InputMismatch, Integrator, Model, Resident, Settings, Solver, StimulusKind};
use crate::engine::{Device, Engine, Precision, Work};
use crate::network::{Activation, Architecture, InputMode, Network, Population, Projection};
use crate::plan::{Buf, Elem, PlanId, Role, StepControl};
use crate::train::{Gates, Ramp, controls, work};

const STEPS: usize = 4;

fn network(
    sizes: &[usize],
    projections: Vec<Projection>,
    activation: Activation,
    input: InputMode,
) -> Network {
    let population = |(k, &size): (usize, &usize)| Population {
        name: format!("p{k}"),
        size,
        bias_factor: 1.0,
        bias_clip: None,
    };
    let populations = sizes.iter().enumerate().map(population).collect();
    Network { populations, projections, activation, input, microcircuit: None }
}

/// Deterministic numbers in [-1, 1].
fn noise(seed: usize, len: usize) -> Vec<f64> {
    (0..len).map(|i| ((i * 7919 + seed * 104_729 + 13) % 2003) as f64 / 1001.0 - 1.0).collect()
}

fn engine(model: &Arc<Model>, beta: f64) -> Engine {
    let mut engine = Engine::new(Arc::clone(model), &Device::Cpu(Precision::F64)).unwrap();
    let l = &model.layout;
    let mut fill = |buf: Buf, scale: f64, seed: usize| {
        let values: Vec<f64> = noise(seed, model.program.spec(buf).len()).iter().map(|v| scale * v).collect();
        engine.write(buf, &values).unwrap();
    };
    l.weights.iter().enumerate().for_each(|(k, &w)| fill(w, 0.2, k));
    [l.biases, l.u, l.x, l.y, l.x_seq, l.y_seq]
        .into_iter()
        .zip(20..)
        .for_each(|(buf, seed)| fill(buf, 0.5, seed));
    engine.write(l.bias_factors, &vec![1.0; model.program.spec(l.bias_factors).len()]).unwrap();
    // Where β = ∞ is allowed, the first output is prescribed.
    let len = model.program.spec(l.beta).len();
    let betas: Vec<f64> = (0..len).map(|o| if o == 0 { beta } else { 0.3 + 0.1 * o as f64 }).collect();
    engine.write(l.beta, &betas).unwrap();
    engine
}

/// What lasts: all but scratch. With `observed` also what probes read.
fn content(engine: &mut Engine, observed: bool) -> Vec<(String, Vec<f64>)> {
    let model = Arc::clone(engine.model());
    let l = &model.layout;
    let read = [l.r, l.d, l.delta, l.apical];
    let lasting = |i: usize| {
        let (spec, buf) = (&model.program.buffers[i], Buf(i as u16));
        spec.elem == Elem::Real && (spec.role != Role::Scratch || (observed && read.contains(&buf)))
    };
    let all = (0..model.program.buffers.len()).filter(|&i| lasting(i));
    all.map(|i| (model.program.buffers[i].name.clone(), engine.read(Buf(i as u16)).unwrap())).collect()
}

fn poison(engine: &mut Engine) {
    let model = Arc::clone(engine.model());
    for (i, spec) in model.program.buffers.iter().enumerate() {
        if spec.role == Role::Scratch && spec.elem == Elem::Real {
            engine.write(Buf(i as u16), &vec![f64::NAN; spec.len()]).unwrap();
        }
    }
}

/// Steps of both models side by side; returns how many arrays `[batch, N]` sharing has saved.
fn compare(what: &str, net: &Network, settings: &Settings, batch: usize) -> usize {
    let stimulus = StimulusKind::Sequence { steps: STEPS };
    let features =
        Features { stimulus, learning: true, entry_norms: true, beta_rows: 1, ..Features::samples(false) };
    let model =
        |shares| Arc::new(Model::with_buffers(net.clone(), *settings, batch, features, shares).unwrap());
    let models = [true, false].map(model);
    let beta = if settings.hard_targets { f64::INFINITY } else { 0.3 };
    let [mut shared, mut apart] = [&models[0], &models[1]].map(|m| engine(m, beta));
    for row in 0..STEPS as u32 {
        let control = StepControl { row, rate_w: 0.01, rate_b: 0.01, index: row, ..StepControl::default() };
        for plan in [PlanId::Step, PlanId::Observe] {
            let both = [&mut shared, &mut apart].map(|engine| {
                poison(engine);
                engine.run(&[Work { plan, controls: vec![control] }]).unwrap();
                content(engine, plan == PlanId::Observe)
            });
            assert_eq!(both[0].len(), both[1].len());
            for ((name, got), (_, want)) in both[0].iter().zip(&both[1]) {
                let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert!(bits(got) == bits(want), "{what}, step {row}, {plan:?}: {name}");
                // β may be infinite, and columns of clamped inputs are nobody's scratch.
                let may = name == "beta" || plan == PlanId::Observe;
                assert!(may || got.iter().all(|v| v.is_finite()), "{what}, step {row}, {plan:?}: {name}");
            }
        }
    }
    arrays(&models[1], "") - arrays(&models[0], "")
}

/// Arrays of the size of all voltages, without those whose name begins so.
fn arrays(model: &Model, without: &str) -> usize {
    let (batch, n) = (model.layout.batch, model.network.neurons());
    let buffers = model.program.buffers.iter();
    let is_one = |s: &&crate::plan::BufferSpec| {
        (s.rows, s.cols) == (batch, n) && (without.is_empty() || !s.name.starts_with(without))
    };
    buffers.filter(is_one).count()
}

#[test]
fn shared_buffers_change_no_bit() {
    let activations = [Activation::Tanh, Activation::HardSigmoid];
    let mut saved = std::collections::BTreeSet::new();
    for (_, architecture) in Architecture::NAMES {
        for activation in activations {
            for (sizes, input) in [
                (&[4, 9, 5, 3][..], InputMode::Clamped),
                (&[4, 9, 5, 3][..], InputMode::Driven),
                (&[0, 11, 3][..], InputMode::Driven),
            ] {
                let projections =
                    architecture.projections(sizes.len(), input.is_clamped() && sizes.len() == 3);
                if projections.is_empty() {
                    continue;
                }
                let net = network(sizes, projections, activation, input);
                for (hard_targets, input_mismatch) in
                    [(false, InputMismatch::Prediction), (true, InputMismatch::Drive)]
                {
                    for solver in [Solver::Auto, Solver::Cg, Solver::OutputCg] {
                        let settings =
                            Settings { solver, hard_targets, input_mismatch, ..Settings::default() };
                        if settings.check(&net).is_err() {
                            continue;
                        }
                        // Ẇ in factors and formed.
                        for batch in [2, 12] {
                            let what = format!(
                                "{architecture:?} {sizes:?} {activation:?} {input:?} {solver:?} {hard_targets} {batch}"
                            );
                            saved.insert(compare(&what, &net, &settings, batch));
                        }
                    }
                }
            }
        }
    }
    // c, g and Wᵀδ on feedforward graphs, a as well on those with cycles.
    assert_eq!(saved.into_iter().collect::<Vec<_>>(), [3, 4]);
}

/// A presentation with resident weights, a prediction and an update by backprop.
#[test]
fn plans_of_static_samples_change_no_bit() {
    for activation in [Activation::HardSigmoid, Activation::Linear] {
        let projections = Architecture::LayeredFeedforward.projections(4, false);
        let net = network(&[6, 9, 5, 3], projections, activation, InputMode::Clamped);
        let settings = Settings { resident: Resident::Always, ..Settings::default() };
        let run = |shares| {
            let features = Features::training(true);
            let model = Model::with_buffers(net.clone(), settings, 3, features, shares).unwrap();
            assert!(model.layout.resident);
            let (model, samples) = (Arc::new(model), [3_u8, 200, 91, 17, 60, 129]);
            let l = &model.layout;
            let mut engine = engine(&model, 0.3);
            engine.write(l.pixel_table, &(0..256).map(|v| f64::from(v) / 255.0).collect::<Vec<_>>()).unwrap();
            engine.write(l.label_table, &[0.0, 1.0]).unwrap();
            engine.write_bytes(l.pixels, &samples.repeat(3)).unwrap();
            engine.write_bytes(l.labels, &[0, 2, 1]).unwrap();
            engine.run(&[Work::once(PlanId::Start)]).unwrap();
            let mut all = Vec::new();
            let ramp = Ramp { from: -14.0, to: 22.0 }.values(6);
            for plans in [
                work(controls(&ramp, Gates::default(), 0.02, 0.02, 3), true),
                vec![Work::once(PlanId::Predict)],
                vec![Work {
                    plan: PlanId::Backprop,
                    controls: controls(&[1.0], Gates::default(), 0.1, 0.1, 3),
                }],
            ] {
                engine.run(&plans).unwrap();
                all.push(content(&mut engine, false));
            }
            all
        };
        assert!(run(true) == run(false), "{activation:?}");
    }
}

/// More neurons than a Cholesky factorisation in every step is for: no H, no rhs.
#[test]
fn twelve_arrays_of_a_fully_recurrent_population() {
    let features = Features {
        stimulus: StimulusKind::Sequence { steps: 1 },
        learning: true,
        ..Features::samples(false)
    };
    for sizes in [&[0, 4096][..], &[0, 4032, 64]] {
        for (activation, want) in [(Activation::Tanh, 12), (Activation::HardSigmoid, 11)] {
            let all = Architecture::FullyRecurrent.projections(sizes.len(), false);
            let own = all.into_iter().filter(|p| p.pre > 0 && p.post > 0).collect();
            let net = network(sizes, own, activation, InputMode::Driven);
            let settings = Settings { integrator: Integrator::Exact, ..Settings::default() };
            let model = Model::new(net, settings, 32, features).unwrap();
            assert_eq!(model.solver, Some(Solver::Cg));
            // Targets of as many outputs as there are neurons are not states.
            assert_eq!(arrays(&model, "u*"), want, "{sizes:?} {activation:?}\n{}", model.program.describe());
        }
    }
}
