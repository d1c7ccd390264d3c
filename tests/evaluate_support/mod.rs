//! What the tests of evaluation share: networks, samples, and the steady state with a bound on its rounding.
#![allow(dead_code)] // Each test file uses its own part.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test fails by panicking.

use lagrange_gpu::data::Encoding;
use lagrange_gpu::dynamics::Settings;
use lagrange_gpu::engine::Device;
use lagrange_gpu::evaluate::{Inputs, Predictor, Readout};
use lagrange_gpu::network::{Activation, Init, InitKind, InputMode, Network, Parameters, Population, expand};
use lagrange_gpu::train::Ramp;

/// Unit roundoff of the two floating-point types.
pub const EPS32: f64 = 5.960_464_5e-8;
pub const EPS64: f64 = 1.110_223_1e-16;

/// A layered network with drawn parameters and samples of bytes.
pub struct Case {
    pub network: Network,
    pub parameters: Parameters,
    pub settings: Settings,
    pub images: Vec<u8>,
    pub table: Vec<f64>,
}

impl Case {
    /// dt = τ/2, so that what a presentation leaves is halved in each step of rest.
    pub fn new(sizes: &[usize], activation: Activation, samples: usize, std: f64) -> Self {
        let population = |(i, &size): (usize, &usize)| Population {
            name: format!("p{i}"),
            size,
            bias_factor: 1.0,
            bias_clip: None,
        };
        let network = Network {
            populations: sizes.iter().enumerate().map(population).collect(),
            projections: expand(sizes.len(), &[]),
            activation,
            input: InputMode::Clamped,
            microcircuit: None,
        };
        let init = Init { kind: InitKind::Normal { mean: 0.01, std }, clip: None };
        let parameters =
            Parameters::draw(&network, &vec![init; sizes.len() - 1], &vec![init; sizes.len()], 3);
        let byte = |i: usize| {
            let noise = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            // A third of the pixels is dark, as in digits.
            if noise >> 40 & 3 == 0 { 0 } else { (noise >> 50) as u8 }
        };
        Self {
            network,
            parameters,
            settings: Settings { tau_ms: 10.0, dt_ms: 5.0, ..Settings::default() },
            images: (0..samples * sizes[0]).map(byte).collect(),
            table: Encoding::Unit.pixel_table().to_vec(),
        }
    }

    pub fn samples(&self) -> usize {
        self.images.len() / self.network.n_in()
    }

    /// A ramp of 20 steps, then rest until what it left is halved to a thousandth of the roundoff.
    pub fn long(&self, eps: f64) -> Readout {
        let mut ramp = Ramp { from: -14.0, to: 46.0 }.values(20);
        ramp.extend(vec![1.0; (10.0 - eps.log2()).ceil() as usize]);
        Readout::Trajectory(ramp)
    }

    pub fn predictor(&self, batch: usize, readout: Readout, device: &Device) -> Predictor {
        let mut predictor = Predictor::new(&self.network, self.settings, batch, readout, device)
            .unwrap_or_else(|e| panic!("{e}"));
        predictor.set_parameters(&self.parameters).unwrap();
        predictor
    }

    /// Outputs of the samples in this order, by sample.
    pub fn outputs(&self, predictor: &mut Predictor, order: &[usize]) -> Vec<Vec<f64>> {
        let n_in = self.network.n_in();
        let images: Vec<u8> =
            order.iter().flat_map(|&i| self.images[i * n_in..(i + 1) * n_in].to_vec()).collect();
        let mut outputs = vec![Vec::new(); order.len()];
        predictor
            .run(&Inputs::Bytes { images: &images, table: &self.table }, |at, output| {
                outputs[order[at]] = output.to_vec();
            })
            .unwrap_or_else(|e| panic!("{e}"));
        outputs
    }

    /// The samples in an order of no pattern.
    pub fn shuffled(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.samples()).collect();
        order.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32);
        order
    }

    /// The steady state of the outputs for sample `i` in f64, and a bound on the error of each output when it is computed
    /// with unit roundoff `eps`, whatever the order of the sums.
    ///
    /// A sum of n products and a bias errs by `(n + 2) ε (Σ|w r̄| + |b|)` to first order; inputs err by ε|x|, ρ (of slope at most 1) by 4ε; what a
    /// population errs by reaches the next through |W|. A trajectory also rounds `u += dt u̇` by 2ε|u| in each step, which adds up over
    /// τ/dt steps, in δ of this population and of the next. A tenth more covers second order.
    pub fn steady(&self, i: usize, eps: f64, readout: &Readout) -> (Vec<f64>, Vec<f64>) {
        let (net, n_in) = (&self.network, self.network.n_in());
        let memory = match readout {
            Readout::SteadyState => 0.0,
            Readout::Trajectory(_) => self.settings.tau_ms / self.settings.dt_ms,
        };
        let mut u: Vec<f64> =
            self.images[i * n_in..(i + 1) * n_in].iter().map(|&b| self.table[usize::from(b)]).collect();
        let mut error: Vec<f64> = u.iter().map(|x| 2.0 * eps * x.abs()).collect();
        for (k, w) in self.parameters.weights.iter().enumerate() {
            let r: Vec<f64> = u.iter().map(|&u| net.activation.eval(u).0).collect();
            let cols = net.cols(k + 1);
            let (mut next, mut next_error) = (Vec::new(), Vec::new());
            for (row, b) in w.chunks_exact(u.len()).zip(&self.parameters.biases[cols.range()]) {
                let a = b + row.iter().zip(&r).map(|(w, r)| w * r).sum::<f64>();
                let sum = |f: &dyn Fn(usize) -> f64| -> f64 {
                    row.iter().enumerate().map(|(j, w)| w.abs() * f(j)).sum()
                };
                let product = (u.len() + 2) as f64 * eps * (b.abs() + sum(&|j| r[j].abs()));
                let carried = sum(&|j| error[j] + 4.0 * eps * r[j].abs());
                let steps = memory * 2.0 * eps * (a.abs() + sum(&|j| u[j].abs()));
                next.push(a);
                next_error.push(1.1 * (product + carried + steps));
            }
            (u, error) = (next, next_error);
        }
        (u, error)
    }

    /// In any order and any number at a time, the answers are those of the steady state to the error that rounding explains.
    pub fn check(&self, what: &str, device: &Device, eps: f64) {
        let natural: Vec<usize> = (0..self.samples()).collect();
        for readout in [Readout::SteadyState, self.long(eps)] {
            let kind = if readout == Readout::SteadyState { "steady state" } else { "trajectory" };
            for batch in [1, 7, 64] {
                let mut predictor = self.predictor(batch, readout.clone(), device);
                for (name, order) in [("natural", &natural), ("shuffled", &self.shuffled())] {
                    let outputs = self.outputs(&mut predictor, order);
                    for (i, got) in outputs.iter().enumerate() {
                        let (want, error) = self.steady(i, eps, &readout);
                        for o in 0..want.len() {
                            let diff = (want[o] - got[o]).abs();
                            assert!(
                                diff <= error[o],
                                "{what}, {kind}, batch {batch}, {name} order, sample {i}, output {o}: want {}, got {}, difference {diff:e} (allowed {:e}, relative {:e})",
                                want[o],
                                got[o],
                                error[o],
                                diff / want[o].abs()
                            );
                        }
                    }
                }
                assert_eq!(predictor.trouble().indefinite, 0, "{what}");
            }
        }
    }
}
