//! Random networks and stimuli for tests.

use lagrange_gpu::dynamics::Settings;
use lagrange_gpu::network::{Activation, InputMode, Network, Parameters, Population, Projection};
use lagrange_gpu::schedule::Schedule;
use lagrange_gpu::simulate::{Setup, SimulationInput};

/// SplitMix64: small, and not the generator of the crate.
pub struct Rng(pub u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// Normal, by the sum of twelve uniform numbers.
    pub fn normal(&mut self, std: f64) -> f64 {
        std * ((0..12).map(|_| self.uniform(0.0, 1.0)).sum::<f64>() - 6.0)
    }
    pub fn uniforms(&mut self, count: usize, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.uniform(low, high)).collect()
    }
    pub fn normals(&mut self, count: usize, std: f64) -> Vec<f64> {
        (0..count).map(|_| self.normal(std)).collect()
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// A network of populations of these sizes with the given projections (pre, post).
pub fn network(
    sizes: &[usize],
    edges: &[(usize, usize)],
    activation: Activation,
    input: InputMode,
) -> Network {
    let populations = sizes.iter().enumerate().map(|(p, &size)| Population {
        name: format!("p{p}"),
        size,
        bias_factor: if p == 0 { 0.0 } else { 1.0 },
        bias_clip: None,
    });
    let projections = edges.iter().map(|&(pre, post)| Projection::between(pre, post)).collect();
    Network { populations: populations.collect(), projections, activation, input, microcircuit: None }
}

/// A chain, each population projecting to the next.
pub fn chain(sizes: &[usize], activation: Activation, input: InputMode) -> Network {
    let edges: Vec<(usize, usize)> = (1..sizes.len()).map(|p| (p - 1, p)).collect();
    network(sizes, &edges, activation, input)
}

/// Normal weights of standard deviation `std`, none of a neuron onto itself unless the network has such, biases of 0.1 (none for the input).
pub fn parameters(net: &Network, std: f64, rng: &mut Rng) -> Parameters {
    let size = |p: usize| net.populations[p].size;
    let weights = net.projections.iter().map(|p| {
        let mut w = rng.normals(size(p.pre) * size(p.post), std);
        if p.is_hollow() {
            w.iter_mut().step_by(size(p.pre) + 1).for_each(|w| *w = 0.0);
        }
        w
    });
    let weights = weights.collect();
    let mut biases = rng.normals(net.neurons(), 0.1);
    biases[..net.n_in()].fill(0.0);
    Parameters { weights, biases, ..Parameters::default() }
}

/// A run with constant input and target, from the steady state at β = 0: f = 0 (unless something projects into a clamped input).
pub fn constant(
    setup: &Setup,
    parameters: Parameters,
    x: &[f64],
    y: &[f64],
    beta: f64,
    steps: usize,
) -> SimulationInput {
    let net = &setup.network;
    let batch = x.len() / net.n_in();
    SimulationInput {
        steps,
        batch,
        x: x.repeat(steps),
        y: y.repeat(steps),
        beta: vec![beta; steps * net.n_out()],
        learn: vec![false; steps],
        u0: steady(net, &parameters, x),
        parameters,
        x_prev: x.to_vec(),
        y_prev: y.to_vec(),
        ..SimulationInput::default()
    }
}

/// `u = W ρ(u) + b + x` by sweeps over the neurons of the dense matrix, `[B, N]`: one of a feedforward network; of others as many as it takes
/// to rounding.
pub fn steady(net: &Network, parameters: &Parameters, x: &[f64]) -> Vec<f64> {
    let (n, n_in) = (net.neurons(), net.n_in());
    let w = super::case::dense(net, &parameters.weights);
    let mut all = Vec::new();
    for x in x.chunks_exact(n_in) {
        let (mut u, mut r) = (vec![0.0; n], vec![0.0; n]);
        for sweep in 0.. {
            let before = u.clone();
            for i in 0..n {
                let a: f64 = (0..n).map(|j| w[i * n + j] * r[j]).sum::<f64>() + parameters.biases[i];
                u[i] = match net.input {
                    _ if i >= n_in => a,
                    InputMode::Driven => a + x[i],
                    _ => x[i],
                };
                let identity = net.input == InputMode::Rates && i < n_in;
                r[i] = if identity { u[i] } else { super::oracle::activation(net.activation, u[i])[0] };
            }
            let moved = u.iter().zip(&before).map(|(u, b)| (u - b).abs()).fold(0.0, f64::max);
            if net.is_feedforward() || moved < 1e-15 {
                break;
            }
            assert!(sweep < 10_000, "no steady state: a move of {moved:e}");
        }
        all.extend(u);
    }
    all
}

/// A run from random voltages under sums of sines, learning from a quarter of it on, β switched half-way.
pub fn sines(
    setup: &Setup,
    parameters: Parameters,
    batch: usize,
    steps: usize,
    rng: &mut Rng,
) -> SimulationInput {
    let net = &setup.network;
    let dt = setup.settings.dt_ms;
    let mut signal = |width: usize, low: f64, high: f64| -> Vec<f64> {
        let middle = rng.uniforms(batch * width, low, high);
        let (phase, period) =
            (rng.uniforms(batch * width, 0.0, 6.3), rng.uniforms(batch * width, 15.0, 60.0));
        (0..=steps)
            .flat_map(|t| {
                let at = |i: usize| middle[i] + 0.2 * (6.3 * t as f64 * dt / period[i] + phase[i]).sin();
                (0..batch * width).map(at).collect::<Vec<_>>()
            })
            .collect()
    };
    let (x, y) = (signal(net.n_in(), 0.2, 0.8), signal(net.n_out(), 0.1, 0.9));
    let (x_prev, x) = x.split_at(batch * net.n_in());
    let (y_prev, y) = y.split_at(batch * net.n_out());
    let mut u0 = rng.uniforms(batch * net.neurons(), 0.05, 0.9);
    if net.input != InputMode::Driven {
        for (u, x) in u0.chunks_exact_mut(net.neurons()).zip(x_prev.chunks_exact(net.n_in())) {
            u[..x.len()].copy_from_slice(x);
        }
    }
    let beta = (0..steps)
        .flat_map(|t| {
            (0..net.n_out()).map(move |o| if (t < steps / 2) == (o % 2 == 0) { 0.15 } else { 0.05 })
        })
        .collect();
    SimulationInput {
        steps,
        batch,
        x: x.to_vec(),
        y: y.to_vec(),
        beta,
        learn: (0..steps).map(|t| t >= steps / 4).collect(),
        parameters,
        u0,
        x_prev: x_prev.to_vec(),
        y_prev: y_prev.to_vec(),
        ..SimulationInput::default()
    }
}

/// A setup with the settings of the parity data.
pub fn setup(network: Network, settings: Settings) -> Setup {
    Setup { network, settings, rate_w: 0.05, rate_b: 0.03, schedule: Schedule::Constant }
}
