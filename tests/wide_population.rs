//! A feedforward population of 20,000 neurons runs on every device.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::random::{Rng, chain, parameters, setup, sines};
use lagrange_gpu::dynamics::Settings;
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::gpu;
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};

const WIDE: usize = 20_000;
const STEPS: usize = 4;

fn case() -> (Setup, SimulationInput) {
    let mut rng = Rng(71);
    let net = chain(&[16, WIDE, 4], Activation::Sigmoid, InputMode::Clamped);
    let settings = Settings { max_iterations: 12, ..Settings::default() };
    // η ‖r̄‖² dt is to stay far below 1, and 20,000 rates near ½ make ‖r̄‖² = 5,000.
    let setup = Setup { rate_w: 1e-5, rate_b: 1e-5, ..setup(net, settings) };
    let mut start = parameters(&setup.network, 1.0, &mut rng);
    // Basal inputs of order 1 whatever the number of presynaptic neurons; the same numbers in both precisions.
    for (block, fan_in) in start.weights.iter_mut().zip([16.0, WIDE as f64]) {
        block.iter_mut().for_each(|w| *w = f64::from((*w / fan_in.sqrt()) as f32));
    }
    let mut input = sines(&setup, start, 2, STEPS, &mut rng);
    input.learn.fill(true);
    (setup, input)
}

fn simulate((setup, input): &(Setup, SimulationInput), device: &Device) -> SimulationOutput {
    let out =
        run(setup, device, input, &Record::default()).unwrap_or_else(|e| panic!("{}: {e}", device.name()));
    assert_eq!(out.stop, None, "{}", device.name());
    assert!(out.solver_steps.iter().all(|s| s.unconverged == 0), "{}: {:?}", device.name(), out.solver_steps);
    out
}

fn most(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// An output sums 20,000 products of random sign whose partial sums stay below 2: at worst a rounding of 6e-8·2 each, √20000 of which make 1.7e-5; a
/// hidden neuron sums 16. The solver leaves 1e-6 of u̇, a few tenths per ms. Both enter u in every step: four times 2e-5, and 1e-4 is asked.
/// Weights below 2 round by 6e-8 a step, four times: 5e-7 is asked, a twentieth of what they learn (4 η δ r̄).
#[test]
fn twenty_thousand_neurons_on_every_device() {
    let adapters = gpu::adapters();
    assert!(!adapters.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    let gpus = adapters.iter().map(|a| Device::Gpu(gpu::open(&gpu::Choice::Index(a.index)).unwrap()));
    let case = case();
    let want = simulate(&case, &Device::Cpu(Precision::F64));
    assert_eq!(want.u.len(), STEPS * 2 * (16 + WIDE + 4));
    assert!(want.u_dot.iter().all(|v| v.abs() < 2.0), "voltages move by tenths");
    for device in gpus.chain([Device::Cpu(Precision::F32)]) {
        let out = simulate(&case, &device);
        let (voltages, biases) = (most(&out.u, &want.u), most(&out.end.biases, &want.end.biases));
        let weights: Vec<f64> =
            out.end.weights.iter().zip(&want.end.weights).map(|(a, b)| most(a, b)).collect();
        let name = device.name();
        println!("{name}: u {voltages:e}, W {weights:?}, b {biases:e}");
        assert!(voltages < 1e-4, "{name}: {voltages:e}");
        assert!(weights.iter().all(|w| *w < 5e-7) && biases < 5e-7, "{name}: {weights:?} {biases:e}");
    }
    for (after, before) in want.end.weights.iter().zip(&case.1.parameters.weights) {
        assert!(most(after, before) > 5e-6, "weights learn: {:e}", most(after, before));
    }
}
