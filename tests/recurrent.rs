//! Networks with cycles, and with projections into a clamped input: their start, their answers, their training.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod stripes;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lagrange_gpu::data::{Dataset, Encoding, Split};
use lagrange_gpu::dynamics::{Features, Integrator, Model, Settings};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
use lagrange_gpu::evaluate::{EvaluateError, Inputs, Predictor, Readout, rest};
use lagrange_gpu::gpu;
use lagrange_gpu::kernels::record;
use lagrange_gpu::network::{
    Activation, Architecture, Init, InitKind, InputMode, Network, Parameters, Population,
};
use lagrange_gpu::plan::{PlanId, StepControl};
use lagrange_gpu::schedule::Schedule;
use lagrange_gpu::train::{
    Event, Gates, Protocol, Ramp, Rule, Sink, Tables, TrainError, Trainer, start_warnings, write_parameters,
};
use stripes::{CLASSES, PIXELS, samples};

const CPU: Device = Device::Cpu(Precision::F64);

fn network(architecture: Architecture, only: bool, activation: Activation, input: InputMode) -> Network {
    let population = |(i, size): (usize, usize)| Population {
        name: format!("p{i}"),
        size,
        bias_factor: if i == 0 { 0.0 } else { 1.0 },
        bias_clip: None,
    };
    Network {
        populations: [PIXELS, 10, CLASSES].into_iter().enumerate().map(population).collect(),
        projections: architecture.projections(3, only),
        activation,
        input,
        microcircuit: None,
    }
}

/// Weak enough for one steady state.
fn parameters(network: &Network, std: f64) -> Parameters {
    let init = vec![Init { kind: InitKind::Normal { mean: 0.05, std }, clip: None }; 9];
    Parameters::draw(network, &init, &init[..3], 5)
}

fn precise() -> Settings {
    Settings { tolerance: 1e-13, max_iterations: 200, ..Settings::default() }
}

fn engine(network: &Network, settings: Settings, device: &Device) -> Engine {
    let model = Model::new(network.clone(), settings, 2, Features::training(true)).unwrap();
    let mut engine = Engine::new(Arc::new(model), device).unwrap();
    write_parameters(&mut engine, &parameters(network, 0.15)).unwrap();
    engine
}

fn gpus() -> Vec<Device> {
    let adapters = gpu::adapters();
    assert!(!adapters.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    adapters.iter().map(|a| Device::Gpu(gpu::open(&gpu::Choice::Index(a.index)).unwrap())).collect()
}

/// All architectures but the feedforward one, whose start is one sweep.
const RECURRENT: [(Architecture, bool); 7] = [
    (Architecture::LayeredFeedbackward, false),
    (Architecture::LayeredRecurrent, false),
    (Architecture::LayeredRecurrent, true),
    (Architecture::LayeredRecurrentRecurrent, false),
    (Architecture::InRecurrentOut, true),
    (Architecture::FullyRecurrent, false),
    (Architecture::FullyRecurrent, true),
];

/// f = 0 to rounding, and a step at β = 0 and x = 0 leaves it there: u̇ is of the size of f/τ.
#[test]
fn a_run_starts_at_rest() {
    for (architecture, only) in RECURRENT {
        for (activation, input) in [
            (Activation::Sigmoid, InputMode::Clamped),
            (Activation::Tanh, InputMode::Driven),
            (Activation::Softplus, InputMode::Rates),
        ] {
            let net = network(architecture, only, activation, input);
            let name = format!("{architecture:?} {only} {activation:?} {input:?}");
            let mut engine = engine(&net, precise(), &CPU);
            let l = engine.model().layout.clone();
            let found = rest(&mut engine, Precision::F64).unwrap();
            assert!(found.is_reached() && found.f_norm < 1e-12, "{name}: {found:?}");
            assert_eq!(found.steps == 0, net.settling_order().is_some(), "{name}");
            assert!(engine.read(l.u_dot).unwrap().iter().all(|v| *v == 0.0), "{name}");
            // u* is the output.
            let (u, y) = (engine.read(l.u).unwrap(), engine.read(l.y).unwrap());
            let outputs = net.outputs().range();
            let out = u.chunks_exact(net.neurons()).flat_map(|row| row[outputs.clone()].to_vec());
            assert!(y == out.collect::<Vec<_>>(), "{name}");
            // At β of the second row, too: u = u*. The samples before and after are 0.
            engine.write(l.beta, &[[0.0; CLASSES], [0.3; CLASSES]].concat()).unwrap();
            let control = StepControl { beta_row: 1, ..StepControl::default() };
            let shot = engine
                .run(&[PlanId::Step, PlanId::Observe].map(|plan| Work { plan, controls: vec![control] }))
                .unwrap();
            let f = shot.record.chunks_exact(record::LEN).map(|r| r[record::F_NORM]).fold(0.0, f64::max);
            assert!(f < 1e-11, "{name}: {f:e}");
            let most = engine.read(l.u_dot).unwrap().iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            assert!(most < 1e-11, "{name}: {most:e}");
        }
    }
}

#[test]
fn a_run_starts_at_rest_on_every_device_in_f32() {
    for device in gpus().into_iter().chain([Device::Cpu(Precision::F32)]) {
        for (architecture, only) in RECURRENT {
            let net = network(architecture, only, Activation::Sigmoid, InputMode::Clamped);
            let mut engine = engine(&net, Settings::default(), &device);
            let found = rest(&mut engine, Precision::F32).unwrap();
            // 25 neurons, rounding of 6e-8 each, with a margin of ten.
            assert!(
                found.is_reached() && found.f_norm < 1e-5,
                "{} {architecture:?}: {found:?}",
                device.name()
            );
        }
    }
}

/// `u = W ρ(u) + b` of the free neurons by sweeps over the populations until nothing moves.
fn fixed_point(net: &Network, at: &Parameters, x: &[f64]) -> Vec<f64> {
    let n = net.neurons();
    let mut u = vec![0.0; n];
    u[..x.len()].copy_from_slice(x);
    for _ in 0..5000 {
        let r: Vec<f64> = u.iter().map(|&u| net.activation.eval(u).0).collect();
        let mut a = at.biases.clone();
        for (p, w) in net.projections.iter().zip(&at.weights) {
            let (pre, post) = (net.cols(p.pre), net.cols(p.post));
            for (a, row) in a[post.range()].iter_mut().zip(w.chunks_exact(pre.len)) {
                *a += row.iter().zip(&r[pre.range()]).map(|(w, r)| w * r).sum::<f64>();
            }
        }
        u[x.len()..].copy_from_slice(&a[x.len()..]);
    }
    u
}

/// A ramp, then rest: what is left decays by a factor 2 a step.
fn long_ramp() -> Vec<f64> {
    let mut ramp = Ramp { from: -14.0, to: 46.0 }.values(20);
    ramp.extend([1.0; 60]);
    ramp
}

/// The end of a long presentation is the steady state, whatever was presented before and beside.
#[test]
fn a_presentation_ends_in_the_steady_state() {
    let settings = Settings { dt_ms: 5.0, ..precise() };
    let table = Encoding::Unit.pixel_table();
    for (architecture, only) in RECURRENT.into_iter().filter(|(_, only)| *only) {
        let net = network(architecture, only, Activation::Sigmoid, InputMode::Clamped);
        let at = parameters(&net, 0.15);
        let images = samples(5, 7);
        let inputs = Inputs::Bytes { images: images.images(), table: &table };
        for batch in [1, 3] {
            let readout = Readout::Trajectory(long_ramp());
            let mut predictor = Predictor::new(&net, settings, batch, readout, &CPU).unwrap();
            predictor.set_parameters(&at).unwrap();
            let mut seen = 0;
            let each = |i: usize, out: &[f64]| {
                let x: Vec<f64> = images.image(i).iter().map(|&v| table[usize::from(v)]).collect();
                let want = fixed_point(&net, &at, &x);
                for (got, want) in out.iter().zip(&want[net.outputs().range()]) {
                    assert!((got - want).abs() < 1e-11, "{architecture:?} sample {i}: {got} for {want}");
                }
                seen += 1;
            };
            predictor.run(&inputs, each).unwrap();
            assert_eq!(seen, 5);
            assert!(predictor.start().is_some_and(|rest| rest.is_reached()));
        }
        let refused = Predictor::new(&net, settings, 1, Readout::SteadyState, &CPU).err();
        assert!(matches!(refused, Some(EvaluateError::NeedsTrajectory(_))), "{architecture:?}");
    }
}

#[derive(Default)]
struct Heard(Vec<Event>);

impl Sink for Heard {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        self.0.push(event.clone());
        Ok(())
    }
}

fn protocol(rule: Rule) -> Protocol {
    Protocol {
        seed: 5,
        rule,
        epochs: 4,
        batch: 8,
        steps: 30,
        gates: Gates::default(),
        ramp: Ramp::default(),
        beta: vec![0.1; CLASSES],
        rate_w: 0.1,
        rate_b: 0.1,
        rate_decay: 1.0,
        schedule: Schedule::Constant,
        step_ms: 1.0,
        tables: Tables::from(Encoding::Unit),
    }
}

fn data(validation: usize) -> Dataset {
    let split = Split { validation, ..Split::default() };
    Dataset::new(samples(60 + validation, 0), samples(90, 1000), "stripes".into(), split).unwrap()
}

/// Parameters, accuracy on the test set, and the loss of the first and last epoch.
fn train(net: &Network, data: &Dataset, device: &Device) -> (Parameters, f64, [f64; 2]) {
    let stop = AtomicBool::new(false);
    let at = parameters(net, 0.1);
    let mut trainer =
        Trainer::new(net.clone(), Settings::default(), at, protocol(Rule::LeastAction), data, device, &stop)
            .unwrap();
    assert!(trainer.rest().is_reached());
    let mut heard = Heard::default();
    let losses: Vec<f64> = (1..=4).map(|n| trainer.epoch(n, &mut heard).unwrap().unwrap().loss).collect();
    let test = trainer.test().unwrap();
    (trainer.parameters().clone(), test.accuracy, [losses[0], losses[3]])
}

/// The three stripes are learned by every graph that carries an error back to where it can be mended; no neuron comes to project onto itself.
#[test]
fn recurrent_networks_learn_on_every_device() {
    let data = data(0);
    for (architecture, only) in [
        (Architecture::LayeredRecurrent, true),
        (Architecture::LayeredRecurrentRecurrent, true),
        (Architecture::InRecurrentOut, false),
        (Architecture::FullyRecurrent, true),
    ] {
        let net = network(architecture, only, Activation::HardSigmoid, InputMode::Clamped);
        // Adapters take the one with projections back and within a population.
        let adapters =
            if architecture == Architecture::LayeredRecurrentRecurrent { gpus() } else { Vec::new() };
        for device in adapters.into_iter().chain([CPU, Device::Cpu(Precision::F32)]) {
            let name = format!("{architecture:?} on {} in {}", device.name(), device.precision().name());
            let (after, accuracy, [first, last]) = train(&net, &data, &device);
            println!("{name}: accuracy {accuracy}, loss {first} to {last}");
            assert!(accuracy > 0.9, "{name}: {accuracy}");
            assert!(last < 0.5 * first, "{name}: loss {first} to {last}");
            for (p, w) in net.projections.iter().zip(&after.weights).filter(|(p, _)| p.pre == p.post) {
                let size = net.populations[p.pre].size;
                assert!(w.iter().step_by(size + 1).all(|v| *v == 0.0), "{name}: a neuron onto itself");
                assert!(w.iter().any(|v| v.abs() > 0.01), "{name}");
            }
        }
    }
}

/// Presentations of validation samples leave the trajectories of training alone.
#[test]
fn validation_does_not_touch_training() {
    let net = network(Architecture::LayeredRecurrent, false, Activation::Sigmoid, InputMode::Driven);
    let both = data(9);
    let alone =
        Dataset::new(both.train.clone(), both.test.clone(), "stripes".into(), Split::default()).unwrap();
    assert!(both.validation.is_some() && alone.validation.is_none());
    assert!(train(&net, &both, &CPU).0 == train(&net, &alone, &CPU).0);
}

#[test]
fn what_a_user_should_know_is_said_at_the_start() {
    let warnings = |net: &Network, std: f64, integrator: Integrator| -> Vec<String> {
        let settings = Settings { integrator, ..Settings::default() };
        let model = Model::new(net.clone(), settings, 2, Features::training(true)).unwrap();
        let mut engine = Engine::new(Arc::new(model), &CPU).unwrap();
        let at = parameters(net, std);
        write_parameters(&mut engine, &at).unwrap();
        let found = rest(&mut engine, Precision::F64).unwrap();
        let all = start_warnings(engine.model(), &at, &[0.1; CLASSES], &found);
        let said = all.into_iter().map(|event| match event {
            Event::Warning { epoch: 0, kind, message } => format!("{kind}: {message}"),
            other => panic!("{other:?}"),
        });
        said.collect()
    };
    let of = |a: Architecture, input: InputMode| network(a, false, Activation::Sigmoid, input);
    let recurrent = of(Architecture::LayeredRecurrent, InputMode::Driven);
    assert_eq!(warnings(&recurrent, 0.1, Integrator::Exact), Vec::<String>::new());
    assert_eq!(warnings(&recurrent, 0.1, Integrator::Euler), Vec::<String>::new());
    // Feedback weights of 2 at a slope of 1/4.
    let strong = warnings(&recurrent, 2.0, Integrator::Euler);
    assert!(
        strong.iter().any(|w| w.starts_with("stability: ") && w.contains("integrator = \"exact\"")),
        "{strong:?}"
    );
    // Nothing projects into the last population.
    let back = warnings(&of(Architecture::LayeredFeedbackward, InputMode::Driven), 0.1, Integrator::Exact);
    assert_eq!(back.len(), 1, "{back:?}");
    assert!(back[0].contains("unreached: no projection reaches population 'p2'"), "{back:?}");
    // A linear network whose cycles amplify diverges by explicit steps: it does not come to rest.
    let linear = network(Architecture::LayeredRecurrent, false, Activation::Linear, InputMode::Driven);
    let unsettled = warnings(&linear, 1.0, Integrator::Euler);
    assert!(
        unsettled.iter().any(|w| w.starts_with("start: ") && w.contains("did not come to rest")),
        "{unsettled:?}"
    );
}

/// The control is of feedforward networks.
#[test]
fn backprop_of_a_recurrent_network_is_refused() {
    let net = network(Architecture::LayeredRecurrent, true, Activation::Sigmoid, InputMode::Clamped);
    let (data, stop) = (data(0), AtomicBool::new(false));
    let at = parameters(&net, 0.1);
    let made = Trainer::new(net, Settings::default(), at, protocol(Rule::Backprop), &data, &CPU, &stop);
    let Err(TrainError::NeedsFeedforward(projection)) = made else { panic!("accepted") };
    assert_eq!(projection, "p2->p1");
}
