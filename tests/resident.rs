//! Resident weights against the plain plan: the same algebra, so the same trajectories to rounding.
//!
//! Two programs of the same network present the same mini-batches, one with the weights of the input population resident, one
//! without. In f64 the difference after three presentations is rounding (1e-16) times the growth over 24 steps of a stable
//! system; 1e-12 leaves three digits for it. In f32 the same argument gives 1e-12 · 2⁻²⁴/2⁻⁵³ ≈ 5e-4 at worst; 1e-4 is asked.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use lagrange_gpu::dynamics::{Features, Model, PlasticityInDynamics, Resident, Settings};
use lagrange_gpu::engine::{Device, Engine, Precision};
use lagrange_gpu::gpu;
use lagrange_gpu::network::{
    Activation, Init, InitKind, InputMode, Network, Parameters, Population, Projection,
};
use lagrange_gpu::train::{Gates, Ramp, controls, work, write_parameters};

const BATCH: usize = 4;
const STEPS: usize = 8;

/// 12-9-5 with a second projection from the input to the output, one of them without learning if asked.
fn network(input: InputMode, skip_factor: f64) -> Network {
    let population = |name: &str, size: usize| Population {
        name: name.into(),
        size,
        bias_factor: if name == "in" { 0.0 } else { 0.7 },
        bias_clip: None,
    };
    let projection =
        |pre: usize, post: usize, factor: f64| Projection { factor, ..Projection::between(pre, post) };
    Network {
        populations: vec![population("in", 12), population("hidden", 9), population("out", 5)],
        projections: vec![projection(0, 1, 1.0), projection(1, 2, 0.5), projection(0, 2, skip_factor)],
        activation: Activation::HardSigmoid,
        input,
        microcircuit: None,
    }
}

/// The same with cycles behind the input: back from the output, and within the hidden population.
fn with_cycles(input: InputMode) -> Network {
    let mut net = network(input, 0.3);
    net.projections.extend([Projection::between(2, 1), Projection::between(1, 1)]);
    net
}

struct Run {
    engine: Engine,
    resident: bool,
}

impl Run {
    fn new(network: &Network, settings: Settings, resident: Resident, device: &Device) -> Self {
        let settings = Settings { resident, ..settings };
        let features = Features { learning: true, beta_rows: 2, ..Features::samples(true) };
        let model = Arc::new(Model::new(network.clone(), settings, BATCH, features).unwrap());
        let l = model.layout.clone();
        let mut engine = Engine::new(model, device).unwrap();
        let kind = InitKind::Normal { mean: 0.1, std: 0.3 };
        // Weak cycles: strong ones amplify rounding.
        let weak = Init { kind: InitKind::Normal { mean: 0.0, std: 0.1 }, clip: None };
        let init = [vec![Init { kind, clip: None }; 3], vec![weak; 2]].concat();
        write_parameters(&mut engine, &Parameters::draw(network, &init, &init[..3], 3)).unwrap();
        let table: Vec<f64> = (0..256).map(|v| f64::from(v) / 255.0).collect();
        engine.write(l.pixel_table, &table).unwrap();
        engine.write(l.label_table, &[0.0, 1.0]).unwrap();
        engine.write(l.beta, &[0.0, 0.0, 0.1, 0.0, 0.0, 0.1, 0.2, 0.0, 0.1, 0.3]).unwrap();
        engine.write(l.bias_factors, &[vec![0.0; 12], vec![0.7; 14]].concat()).unwrap();
        engine.run(&[lagrange_gpu::engine::Work::once(lagrange_gpu::plan::PlanId::Start)]).unwrap();
        Self { resident: l.resident, engine }
    }

    /// Three presentations; in the second the third trajectory has no sample. All voltages, biases and weights at the end.
    fn present(&mut self) -> Vec<f64> {
        let l = self.engine.model().layout.clone();
        let ramp = Ramp { from: -10.0, to: 18.0 }.values(STEPS);
        // Also in the first steps: what is learned before W is brought up to date must count.
        let gates = Gates { nudge_from: 0.5, learn_from: 0.0 };
        for p in 0..3_usize {
            let pixels: Vec<u8> = (0..BATCH * 12)
                .map(|i| if i % 5 == 0 { 0 } else { ((i + 7) * (p + 3) * 37 % 256) as u8 })
                .collect();
            let labels: Vec<u8> = (0..BATCH).map(|b| ((b + p) % 5) as u8).collect();
            let active: Vec<f64> = (0..BATCH).map(|b| if p == 1 && b == 2 { 0.0 } else { 1.0 }).collect();
            self.engine.write_bytes(l.pixels, &pixels).unwrap();
            self.engine.write_bytes(l.labels, &labels).unwrap();
            self.engine.write(l.active, &active).unwrap();
            let count = active.iter().filter(|a| **a != 0.0).count();
            self.engine.run(&work(controls(&ramp, gates, 0.05, 0.03, count), self.resident)).unwrap();
        }
        let mut all = self.engine.read(l.u).unwrap();
        all.extend(self.engine.read(l.biases).unwrap());
        for &w in &l.weights {
            all.extend(self.engine.read(w).unwrap());
        }
        all
    }
}

fn compare(network: &Network, settings: Settings, device: &Device, tolerance: f64) {
    let mut plain = Run::new(network, settings, Resident::Never, device);
    let mut resident = Run::new(network, settings, Resident::Always, device);
    assert!(!plain.resident && resident.resident);
    let start: Vec<f64> = resident.engine.read(resident.engine.model().layout.weights[0]).unwrap();
    let (a, b) = (plain.present(), resident.present());
    let worst = a
        .iter()
        .zip(&b)
        .map(|(a, b)| (a - b).abs())
        .enumerate()
        .fold((0, 0.0), |w, (i, d)| if d > w.1 { (i, d) } else { w });
    assert!(worst.1 <= tolerance, "max abs {:e} at {} of {}", worst.1, worst.0, a.len());
    let end: Vec<f64> = resident.engine.read(resident.engine.model().layout.weights[0]).unwrap();
    let moved = start.iter().zip(&end).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(moved > 1e-3, "nothing was learned: max |ΔW| = {moved:e}");
}

fn precise() -> Settings {
    Settings { tolerance: 1e-13, max_iterations: 100, ..Settings::default() }
}

#[test]
fn the_same_trajectories_in_f64() {
    for input in [InputMode::Clamped, InputMode::Rates] {
        for skip in [0.3, 0.0] {
            for plasticity_in_dynamics in [PlasticityInDynamics::All, PlasticityInDynamics::None] {
                let settings = Settings { plasticity_in_dynamics, ..precise() };
                compare(&network(input, skip), settings, &Device::Cpu(Precision::F64), 1e-12);
                compare(&with_cycles(input), settings, &Device::Cpu(Precision::F64), 1e-12);
            }
        }
    }
}

#[test]
fn the_same_trajectories_on_every_adapter_in_f32() {
    let mut devices = vec![Device::Cpu(Precision::F32)];
    let adapters = gpu::adapters();
    assert!(!adapters.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    devices.extend(adapters.iter().map(|a| Device::Gpu(gpu::open(&gpu::Choice::Index(a.index)).unwrap())));
    for device in &devices {
        compare(&network(InputMode::Clamped, 0.3), Settings::default(), device, 1e-4);
    }
}

#[test]
fn chosen_by_counted_cost_and_only_where_it_applies() {
    let resident = |net: &Network, set: Settings, batch: usize, unit: bool| {
        let features = Features { learning: true, ..Features::samples(unit) };
        Model::new(net.clone(), set, batch, features).unwrap().layout.resident
    };
    let net = network(InputMode::Clamped, 0.3);
    let auto = Settings::default();
    // 2 batch < 3 n_in with n_in = 12.
    assert!(resident(&net, auto, 17, true) && !resident(&net, auto, 18, true));
    // ρ is linear on [0, 1] only.
    assert!(!resident(&net, auto, 4, false));
    let always = Settings { resident: Resident::Always, ..auto };
    assert!(resident(&net, always, 100, true));
    assert!(!resident(&network(InputMode::Driven, 0.3), always, 4, true));
    assert!(!resident(&net, Settings { derivative_clip: Some(0.1), ..always }, 4, true));
    let mut clipped = net.clone();
    clipped.projections[0].clip = Some(0.5);
    assert!(!resident(&clipped, always, 4, true));
}
