//! The trainer on small synthetic data: every sample counts once, empty slots change nothing, devices agree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod stripes;

use std::io;
use std::sync::atomic::AtomicBool;

use lagrange_gpu::data::{Dataset, Encoding, Split};
use lagrange_gpu::dynamics::{Resident, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::gpu;
use lagrange_gpu::network::{Activation, Init, InitKind, InputMode, Network, Parameters, Population, expand};
use lagrange_gpu::schedule::{RateStep, Schedule};
use lagrange_gpu::train::{
    Epoch, Event, Gates, Protocol, Ramp, Rule, Score, Sink, Tables, TrainError, Trainer,
};
use stripes::{CLASSES, PIXELS, samples};

fn data(train: usize, test: usize) -> Dataset {
    Dataset::new(samples(train, 0), samples(test, 1000), "stripes".into(), Split::default()).unwrap()
}

/// The events of a run.
#[derive(Default)]
struct Heard(Vec<Event>);

impl Sink for Heard {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        self.0.push(event.clone());
        Ok(())
    }
}

struct Run {
    epochs: Vec<Epoch>,
    heard: Heard,
    parameters: Parameters,
    test: Score,
}

/// The protocol of the tests, with `batch` trajectories for so many epochs.
fn protocol(batch: usize, epochs: usize) -> Protocol {
    Protocol {
        seed: 5,
        rule: Rule::LeastAction,
        epochs,
        batch,
        steps: 30,
        gates: Gates::default(),
        ramp: Ramp::default(),
        beta: vec![0.1; CLASSES],
        rate_w: 0.2,
        rate_b: 0.2,
        rate_decay: 1.0,
        schedule: Schedule::Constant,
        step_ms: 1.0,
        tables: Tables::from(Encoding::Unit),
    }
}

/// As [`protocol`], by backprop: 30 steps of 1 ms at β = 0.1 teach what three updates do, of which one is enough here.
fn control(batch: usize, epochs: usize) -> Protocol {
    Protocol { rule: Rule::Backprop, steps: 1, ..protocol(batch, epochs) }
}

fn train(data: &Dataset, batch: usize, epochs: usize, settings: Settings, device: &Device) -> Run {
    train_by(data, protocol(batch, epochs), settings, device).unwrap()
}

fn train_by(
    data: &Dataset,
    protocol: Protocol,
    settings: Settings,
    device: &Device,
) -> Result<Run, TrainError> {
    let sizes = [PIXELS, 10, CLASSES];
    let names = ["in", "hidden", "out"];
    let population = |i: usize| Population {
        name: names[i].into(),
        size: sizes[i],
        bias_factor: if i == 0 { 0.0 } else { 1.0 },
        bias_clip: None,
    };
    let network = Network {
        populations: (0..3).map(population).collect(),
        projections: expand(3, &[1.0, 0.5]),
        activation: Activation::HardSigmoid,
        input: InputMode::Clamped,
        microcircuit: None,
    };
    let init = [Init { kind: InitKind::Normal { mean: 0.05, std: 0.1 }, clip: None }; 3];
    let parameters = Parameters::draw(&network, &init, &init, 5);
    let stop = AtomicBool::new(false);
    let count = protocol.epochs;
    let mut trainer = Trainer::new(network, settings, parameters, protocol, data, device, &stop)?;
    let mut heard = Heard::default();
    let mut epochs = Vec::new();
    for number in 1..=count {
        epochs.push(trainer.epoch(number, &mut heard)?.expect("not stopped"));
    }
    let test = trainer.test()?;
    Ok(Run { epochs, heard, parameters: trainer.parameters().clone(), test })
}

fn gpus() -> Vec<Device> {
    let adapters = gpu::adapters();
    assert!(!adapters.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    adapters.iter().map(|a| Device::Gpu(gpu::open(&gpu::Choice::Index(a.index)).unwrap())).collect()
}

/// The largest difference of any weight or bias.
fn difference(a: &Parameters, b: &Parameters) -> f64 {
    let weights = a.weights.iter().flatten().zip(b.weights.iter().flatten());
    weights.chain(a.biases.iter().zip(&b.biases)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The mean runs over the trajectories that have a sample: three samples in three slots teach what they teach in five, for which the
/// solver's 1e-13 and another order of summation leave rounding.
#[test]
fn empty_slots_change_nothing() {
    let data = data(3, 3);
    for resident in [Resident::Never, Resident::Always] {
        let settings = Settings { tolerance: 1e-13, resident, ..Settings::default() };
        let cpu = Device::Cpu(Precision::F64);
        let [full, partly] = [3, 5].map(|batch| train(&data, batch, 2, settings, &cpu));
        let most = difference(&full.parameters, &partly.parameters);
        assert!(most < 1e-12, "{resident:?}: {most:e}");
        assert!(full.epochs[1].mean_abs_weight_change > 1e-4, "something is learned");
        for (a, b) in full.epochs.iter().zip(&partly.epochs) {
            assert!((a.loss - b.loss).abs() < 1e-12 && a.train_accuracy == b.train_accuracy);
        }
    }
}

/// No tail is dropped, neither in training (17 = 2 · 7 + 3) nor in a test of more samples than are evaluated at once.
#[test]
fn every_sample_is_trained_on_and_predicted() {
    let run = train(&data(17, 301), 7, 1, Settings::default(), &Device::Cpu(Precision::F32));
    let done: Vec<usize> = run
        .heard
        .0
        .iter()
        .map(|e| if let Event::Batch { done, .. } = e { *done } else { panic!("{e:?}") })
        .collect();
    assert_eq!(done, [7, 14, 17]);
    assert_eq!(run.test.samples, 301);
    let rows: Vec<u64> = run.test.confusion.iter().map(|row| row.iter().sum()).collect();
    assert_eq!(rows, [101, 100, 100]);
}

/// f32 and f64 trajectories separate at the kinks of ρ, accuracies do not; the bits of a device repeat.
#[test]
fn a_small_network_learns_as_well_on_every_adapter_as_on_the_cpu() {
    let data = data(60, 90);
    let run = |device: &Device| train(&data, 8, 6, Settings::default(), device);
    let cpu = run(&Device::Cpu(Precision::F64));
    assert_eq!(cpu.test.accuracy, 1.0, "{:?}", cpu.test);
    for device in gpus() {
        let first = run(&device);
        assert_eq!(first.test.accuracy, cpu.test.accuracy, "{}: {:?}", device.name(), first.test);
        let (a, b) = (first.epochs[5].loss, cpu.epochs[5].loss);
        assert!((a - b).abs() < 0.02 * b, "{}: loss {a}, on the CPU {b}", device.name());
        assert!(run(&device).parameters == first.parameters, "{}: the same bits twice", device.name());
    }
}

/// The control learns on every device, counts every sample, leaves out empty slots (17 = 2 · 7 + 3) and repeats its bits.
#[test]
fn the_control_learns_as_well_on_every_device() {
    let data = data(60, 90);
    let run = |device: &Device| train_by(&data, control(7, 8), Settings::default(), device).unwrap();
    let cpu = run(&Device::Cpu(Precision::F64));
    assert_eq!(cpu.test.accuracy, 1.0, "{:?}", cpu.test);
    assert!(cpu.epochs[7].loss < 0.3 * cpu.epochs[0].loss, "{:?}", cpu.epochs);
    let health = cpu.epochs[7].health;
    assert_eq!((health.f_norm, health.lagrangian, health.iterations), (0.0, 0.0, 0.0));
    assert!(health.max_u > 0.0 && health.max_u < 10.0, "{health:?}");
    let batches = cpu.heard.0.iter().filter(|e| matches!(e, Event::Batch { .. })).count();
    assert_eq!(batches, 8 * 9);
    for device in gpus().into_iter().chain([Device::Cpu(Precision::F32)]) {
        let first = run(&device);
        assert_eq!(first.test.accuracy, cpu.test.accuracy, "{}: {:?}", device.name(), first.test);
        let (a, b) = (first.epochs[7].loss, cpu.epochs[7].loss);
        assert!((a - b).abs() < 0.02 * b, "{}: loss {a}, on the CPU {b}", device.name());
        assert!(run(&device).parameters == first.parameters, "{}: the same bits twice", device.name());
    }
    let data = self::data(3, 3);
    let device = Device::Cpu(Precision::F64);
    let [full, partly] =
        [3, 5].map(|batch| train_by(&data, control(batch, 2), Settings::default(), &device).unwrap());
    // Products of another height may be summed in another order.
    assert!(difference(&full.parameters, &partly.parameters) < 1e-14);
    assert!(full.epochs[1].mean_abs_weight_change > 1e-4, "something is learned");
}

/// With small rates and β a settled presentation teaches `steps · dt · β` updates: here 14 steps of 5 ms where the ramp has passed 0.99. What is
/// left is of order β, the relaxation of u (by a factor 2 a step, some of it after the gate opens), and the 1 % of the ramp.
#[test]
fn a_presentation_teaches_as_many_updates_as_the_default_rate_says() {
    let data = data(4, 3);
    let device = Device::Cpu(Precision::F64);
    let settings = Settings { dt_ms: 5.0, tolerance: 1e-12, ..Settings::default() };
    let beta = 1e-3;
    let presentation = Protocol {
        gates: Gates { nudge_from: 0.0, learn_from: 0.99 },
        ramp: Ramp { from: -14.0, to: 46.0 },
        beta: vec![beta; CLASSES],
        rate_w: 1e-3,
        rate_b: 1e-3,
        ..protocol(4, 1)
    };
    let rate = 1e-3 * 14.0 * 5.0 * beta;
    let update = Protocol { rate_w: rate, rate_b: rate, ..control(4, 1) };
    let none = Protocol { rate_w: 0.0, rate_b: 0.0, ..update.clone() };
    let [slow, fast, start] =
        [presentation, update, none].map(|p| train_by(&data, p, settings, &device).unwrap().parameters);
    let (size, apart) = (difference(&fast, &start), difference(&slow, &fast));
    assert!(size > 0.0 && apart < 0.02 * size, "{apart:e} of {size:e}");
}

/// A factor of a half from the second epoch on is a decay of a half after the first: the same bits, as a half is exact. And the events say
/// what was used, by the control as well.
#[test]
fn a_step_between_epochs_is_a_decay() {
    let data = data(17, 3);
    let device = Device::Cpu(Precision::F64);
    for (kind, step_ms) in [(protocol(7, 2), 1.0), (control(7, 2), 30.0)] {
        // Three mini-batches of 30 steps.
        let schedule = Schedule::Step(vec![RateStep { at_ms: 90.0, factor: 0.5 }]);
        let stepped = Protocol { schedule, step_ms, ..kind.clone() };
        let decayed = Protocol { rate_decay: 0.5, step_ms, ..kind };
        let [stepped, decayed] =
            [stepped, decayed].map(|p| train_by(&data, p, Settings::default(), &device).unwrap());
        assert!(stepped.parameters == decayed.parameters);
        for run in [&stepped, &decayed] {
            let of = |e: &Epoch| (e.simulated_ms, e.rate_per_ms);
            assert_eq!(run.epochs.iter().map(of).collect::<Vec<_>>(), [(90.0, 0.2), (180.0, 0.1)]);
            let batches: Vec<_> = run
                .heard
                .0
                .iter()
                .filter_map(|e| match e {
                    Event::Batch { simulated_ms, rate_per_ms, .. } => Some((*simulated_ms, *rate_per_ms)),
                    _ => None,
                })
                .collect();
            let want = [(30.0, 0.2), (60.0, 0.2), (90.0, 0.2), (120.0, 0.1), (150.0, 0.1), (180.0, 0.1)];
            assert_eq!(batches, want);
        }
    }
}

/// A rate that makes the weights run away ends the run with where and why.
#[test]
fn the_control_says_where_it_diverges() {
    let protocol = Protocol { rate_w: 1e8, rate_b: 1e8, ..control(7, 3) };
    let error = train_by(&data(60, 3), protocol, Settings::default(), &Device::Cpu(Precision::F32)).err();
    let error = error.expect("divergence").to_string();
    assert!(
        error.contains("in epoch 1, mini-batch") && error.contains("learning rates of [backprop]"),
        "{error}"
    );
}
