//! A bias through a neuron whose rate is 1 is a weight: the same trajectories as with such a neuron in the network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::random::{Rng, network, parameters, setup, sines};
use lagrange_gpu::dynamics::{Bias, Integrator, PlasticityInDynamics, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::gpu;
use lagrange_gpu::network::{Activation, InputMode, Network, Parameters};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};

const BATCH: usize = 2;
const STEPS: usize = 80;
const SIZES: [usize; 3] = [3, 5, 2];

/// 3-5-2 with a projection from the input to the output that has the factor and the clip of the one from the hidden population, as the neuron of
/// rate 1 is in the input population. Factors, and the clips of biases, are those of the projections into a population.
fn unit_rate(activation: Activation) -> Network {
    let mut net = network(&SIZES, &[(0, 1), (1, 2), (0, 2)], activation, InputMode::Rates);
    for (k, (factor, clip)) in [(0.7, 0.4), (0.4, 0.5), (0.4, 0.5)].into_iter().enumerate() {
        (net.projections[k].factor, net.projections[k].clip) = (factor, Some(clip));
    }
    for (p, k) in [(1, 0), (2, 1)] {
        let rule = &net.projections[k];
        (net.populations[p].bias_factor, net.populations[p].bias_clip) = (rule.factor, rule.clip);
    }
    net
}

/// The same with a fourth input neuron, whose weights are the biases.
fn explicit(net: &Network) -> Network {
    let mut net = net.clone();
    net.populations[0].size += 1;
    for population in &mut net.populations {
        (population.bias_factor, population.bias_clip) = (0.0, None);
    }
    net
}

/// `value` after the first three of every `width` values.
fn insert(data: &[f64], width: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {
    let rows = data.chunks_exact(width).enumerate();
    rows.flat_map(|(i, row)| [&row[..3], &[value(i)], &row[3..]].concat()).collect()
}

fn widened(p: &Parameters) -> Parameters {
    let mut weights = p.weights.clone();
    weights[0] = insert(&weights[0], 3, |i| p.biases[3 + i]);
    weights[2] = insert(&weights[2], 3, |i| p.biases[8 + i]);
    Parameters { weights, biases: vec![0.0; 11], ..Parameters::default() }
}

struct Pair {
    unit: (Setup, SimulationInput),
    explicit: (Setup, SimulationInput),
}

fn pair(activation: Activation, settings: Settings) -> Pair {
    let mut rng = Rng(31);
    let plain = setup(unit_rate(activation), Settings { bias: Bias::UnitRate, ..settings });
    let unit = Setup { rate_w: 0.6, rate_b: 0.6, ..plain };
    let mut start = parameters(&unit.network, 0.4, &mut rng);
    // One at its bound from the start.
    start.biases[4] = 0.4;
    let input = sines(&unit, start, BATCH, STEPS, &mut rng);
    let wide = SimulationInput {
        x: insert(&input.x, 3, |_| 1.0),
        x_prev: insert(&input.x_prev, 3, |_| 1.0),
        u0: insert(&input.u0, 10, |_| 1.0),
        parameters: widened(&input.parameters),
        ..input.clone()
    };
    let network = explicit(&unit.network);
    let settings = Settings { bias: Bias::Separate, ..settings };
    Pair { explicit: (Setup { network, settings, ..unit.clone() }, wide), unit: (unit, input) }
}

fn go((setup, input): &(Setup, SimulationInput), device: &Device) -> SimulationOutput {
    let out = run(setup, device, input, &Record::default()).unwrap();
    assert_eq!(out.stop, None);
    out
}

fn most(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Largest difference of any voltage, weight or bias.
fn apart(unit: &SimulationOutput, explicit: &SimulationOutput) -> f64 {
    let end = widened(&unit.end);
    let weights = end.weights.iter().zip(&explicit.end.weights).map(|(a, b)| most(a, b));
    weights.fold(most(&insert(&unit.u, 10, |_| 1.0), &explicit.u), f64::max)
}

/// Both do the same arithmetic but for the place of the bias in a sum of at most ten terms of order 1: ten roundings of 1e-16 a step, and what the
/// solver leaves (1e-14, relative), in 80 steps of a system that forgets with τ = 20 steps: below 1e-12.
#[test]
fn as_with_a_neuron_of_rate_one() {
    let cpu = Device::Cpu(Precision::F64);
    for (activation, integrator) in [
        (Activation::Tanh, Integrator::Exact),
        (Activation::HardSigmoid, Integrator::Exact),
        (Activation::Sigmoid, Integrator::Euler),
    ] {
        for (_, plasticity_in_dynamics) in PlasticityInDynamics::NAMES {
            let settings = Settings {
                integrator,
                dt_ms: 0.5,
                tolerance: 1e-14,
                max_iterations: 200,
                plasticity_in_dynamics,
                derivative_clip: Some(0.02),
                ..Settings::default()
            };
            let Pair { unit, explicit } = pair(activation, settings);
            let out = go(&unit, &cpu);
            let name = format!("{} {} {plasticity_in_dynamics:?}", activation.name(), integrator.name());
            let far = apart(&out, &go(&explicit, &cpu));
            assert!(far < 1e-12, "{name}: {far:e}");
            assert!(most(&out.end.biases, &unit.1.parameters.biases) > 1e-2, "{name}: biases learn");
            // Bounds count, and a separate bias is another thing.
            let mut separate = unit.clone();
            separate.0.settings.bias = Bias::Separate;
            let far = most(&go(&separate, &cpu).end.biases, &out.end.biases);
            assert!(far > 1e-4, "{name}: {far:e} without the bound");
            let mut free = unit;
            free.0.network.populations[1].bias_clip = None;
            assert!(most(&go(&free, &cpu).end.biases, &out.end.biases) > 1e-4, "{name}: without the clip");
        }
    }
}

/// In single precision the same argument gives 1e-12 · 2⁻²⁴/2⁻⁵³ ≈ 5e-4 at worst; 1e-4 is asked.
#[test]
fn on_every_adapter() {
    let adapters = gpu::adapters();
    assert!(!adapters.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    let gpus = adapters.iter().map(|a| Device::Gpu(gpu::open(&gpu::Choice::Index(a.index)).unwrap()));
    let settings = Settings {
        dt_ms: 0.5,
        plasticity_in_dynamics: PlasticityInDynamics::Weights,
        derivative_clip: Some(0.02),
        ..Settings::default()
    };
    let Pair { unit, explicit } = pair(Activation::Sigmoid, settings);
    let oracle = go(&unit, &Device::Cpu(Precision::F64));
    for device in gpus.chain([Device::Cpu(Precision::F32)]) {
        let (a, b) = (go(&unit, &device), go(&explicit, &device));
        let (far, off) = (apart(&a, &b), most(&a.end.biases, &oracle.end.biases));
        assert!(far < 1e-4 && off < 1e-4, "{}: {far:e}, {off:e} from f64", device.name());
    }
}
