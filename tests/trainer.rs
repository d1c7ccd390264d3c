//! The trainer on small synthetic data: every sample counts once, empty slots change nothing, devices agree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io;
use std::sync::atomic::AtomicBool;

use lagrange_gpu::data::{Dataset, Encoding, Samples, Split};
use lagrange_gpu::dynamics::{Resident, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::gpu;
use lagrange_gpu::network::{Activation, Init, InitKind, InputMode, Network, Parameters, Population, expand};
use lagrange_gpu::train::{Epoch, Event, Gates, Protocol, Ramp, Score, Sink, Tables, Trainer};

const CLASSES: usize = 3;
const PIXELS: usize = 12;

/// Class k lights pixels 4k to 4k + 3 of twelve; the others are dim, by a pattern of their own in every sample.
fn samples(count: usize, shift: usize) -> Samples {
    let image = |i: usize| {
        (0..PIXELS).map(move |p| {
            let noise = ((i + shift) * 53 + p * 31) * 97 % 60;
            if p / 4 == i % CLASSES { 255 - noise as u8 } else { noise as u8 }
        })
    };
    let labels = (0..count).map(|i| (i % CLASSES) as u8).collect();
    Samples::new((0..count).flat_map(image).collect(), labels, PIXELS, CLASSES).unwrap()
}

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

fn train(data: &Dataset, batch: usize, epochs: usize, settings: Settings, device: &Device) -> Run {
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
    };
    let init = [Init { kind: InitKind::Normal { mean: 0.05, std: 0.1 }, clip: None }; 3];
    let parameters = Parameters::draw(&network, &init, &init, 5);
    let protocol = Protocol {
        seed: 5,
        epochs,
        batch,
        steps: 30,
        gates: Gates::default(),
        ramp: Ramp::default(),
        beta: vec![0.1; CLASSES],
        rate_w: 0.2,
        rate_b: 0.2,
        rate_decay: 1.0,
        tables: Tables {
            pixel: Encoding::Unit.pixel_table().to_vec(),
            label: Encoding::Unit.label_table().to_vec(),
        },
    };
    let stop = AtomicBool::new(false);
    let mut trainer = Trainer::new(network, settings, parameters, protocol, data, device, &stop).unwrap();
    let mut heard = Heard::default();
    let epochs = (1..=epochs).map(|e| trainer.epoch(e, &mut heard).unwrap().expect("not stopped")).collect();
    let test = trainer.test().unwrap();
    Run { epochs, heard, parameters: trainer.parameters().clone(), test }
}

fn gpus() -> Vec<Device> {
    let adapters = gpu::adapters();
    assert!(!adapters.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    adapters.iter().map(|a| Device::Gpu(gpu::open(&gpu::Choice::Index(a.index)).unwrap())).collect()
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
        let pairs = |a: &Parameters, b: &Parameters| {
            let weights = a.weights.iter().flatten().zip(b.weights.iter().flatten());
            weights.chain(a.biases.iter().zip(&b.biases)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        let most = pairs(&full.parameters, &partly.parameters);
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
