//! Initial weights and biases (model, section 7).

use rand_distr::{Distribution, Normal, Uniform};

use super::{MicrocircuitParameters, Network};
use crate::random::{Purpose, stream};

/// How a block is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InitKind {
    /// All zero.
    Zeros,
    /// Normal with a mean and a standard deviation.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        std: f64,
    },
    /// Normal, variance 1/n_pre.
    Lecun,
    /// Uniform, variance 2/(n_pre + n_post).
    Xavier,
    /// Normal, variance 2/n_pre.
    He,
}

/// How a block is drawn, and the bound to which it is clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Init {
    /// Distribution.
    pub kind: InitKind,
    /// Bound on the drawn values.
    pub clip: Option<f64>,
}

/// Weights and biases of a network.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Parameters {
    /// A block `[post, pre]`, row-major, for each projection.
    pub weights: Vec<Vec<f64>>,
    /// `[N]`.
    pub biases: Vec<f64>,
    /// Of the microcircuit; empty without one.
    pub microcircuit: MicrocircuitParameters,
}

impl Init {
    /// Draws `count` values of a block with `fan_in` inputs and `fan_out` outputs.
    pub(super) fn draw(
        &self,
        rng: &mut impl rand::Rng,
        count: usize,
        fan_in: usize,
        fan_out: usize,
    ) -> Vec<f64> {
        let normal = |mean: f64, std: f64| Normal::new(mean, std.abs()).ok();
        let (fan_in, fan_out) = (fan_in.max(1) as f64, fan_out.max(1) as f64);
        let bell = match self.kind {
            InitKind::Normal { mean, std } => normal(mean, std),
            InitKind::Lecun => normal(0.0, (1.0 / fan_in).sqrt()),
            InitKind::He => normal(0.0, (2.0 / fan_in).sqrt()),
            InitKind::Zeros | InitKind::Xavier => None,
        };
        let limit = (6.0 / (fan_in + fan_out)).sqrt();
        let flat = match self.kind {
            InitKind::Xavier => Uniform::new_inclusive(-limit, limit).ok(),
            _ => None,
        };
        (0..count)
            .map(|_| {
                let v = match (&bell, &flat) {
                    (Some(bell), _) => bell.sample(rng),
                    (None, Some(flat)) => flat.sample(rng),
                    (None, None) => 0.0,
                };
                let v = self.clip.map_or(v, |c| v.clamp(-c, c));
                // Every device computes from the same single-precision start.
                f64::from(v as f32)
            })
            .collect()
    }
}

impl Parameters {
    /// Draws all parameters; `weights` has an entry a projection, `biases` one a population. The input
    /// population has no bias unless something projects into it, and no neuron projects onto itself unless it was asked for.
    #[must_use]
    pub fn draw(network: &Network, weights: &[Init], biases: &[Init], seed: u64) -> Self {
        let size = |p: usize| network.populations[p].size;
        let blocks = network
            .projections
            .iter()
            .zip(weights)
            .enumerate()
            .map(|(k, (p, init))| {
                let mut rng = stream(seed, Purpose::Weights, 0, k as u64);
                let mut w = init.draw(&mut rng, size(p.pre) * size(p.post), size(p.pre), size(p.post));
                if p.is_hollow() {
                    w.iter_mut().step_by(size(p.pre) + 1).for_each(|v| *v = 0.0);
                }
                w
            })
            .collect();
        let mut all = Vec::with_capacity(network.neurons());
        for (p, init) in biases.iter().enumerate() {
            let has_bias = p > 0 || network.projections.iter().any(|k| k.post == p);
            let mut rng = stream(seed, Purpose::Biases, 0, p as u64);
            let fan_in = network.projections.iter().filter(|k| k.post == p).map(|k| size(k.pre)).sum();
            let drawn = init.draw(&mut rng, size(p), fan_in, size(p));
            all.extend(drawn.into_iter().map(|v| if has_bias { v } else { 0.0 }));
        }
        Self { weights: blocks, biases: all, microcircuit: MicrocircuitParameters::default() }
    }
}
