//! What is measured: a network with everything that decides what its time steps cost.

use crate::config::Experiment;
use crate::data::Encoding;
use crate::dynamics::Settings;
use crate::network::{
    Activation, Architecture, Init, InitKind, InputMode, MicrocircuitInit, MicrocircuitParameters, Network,
    Parameters, Population,
};
use crate::train::{Gates, Ramp, Tables};

/// Nudging strength of the outputs.
const BETA: f64 = 0.1;
/// η and η_b per ms.
const RATE: f64 = 1e-3;
/// Variance of weights of feedforward networks times presynaptic neurons. With half of the neurons in their linear range errors shrink by √½ from layer
/// to layer of equal size: deep networks neither diverge nor compute with numbers too small to be normal.
const VARIANCE: f64 = 1.0;
/// About the norm of W of networks with cycles: below 1, so that they come to rest.
const NORM: f64 = 0.5;

/// A network with its settings and stimulus.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Name of its architecture, or of the experiment it comes from.
    pub architecture: String,
    /// Populations and projections.
    pub network: Network,
    /// Integrator, solver, time step. The plan is that of the case.
    pub settings: Settings,
    /// Trajectories and time steps of a presentation where nothing else is asked for.
    pub defaults: [usize; 2],
    /// Whether samples stand still, as digits do; else targets, and inputs if there are any, move in each step, as recordings do.
    pub is_static: bool,
    pub(super) tables: Tables,
    pub(super) ramp: Ramp,
    pub(super) gates: Gates,
    pub(super) beta: Vec<f64>,
    pub(super) rates: [f64; 2],
    weight_init: Vec<Init>,
    bias_init: Vec<Init>,
    microcircuit_init: Option<MicrocircuitInit>,
}

/// How a network of given sizes is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layered {
    /// Which projections there are; into the input population only where it is empty.
    pub architecture: Architecture,
    /// ρ.
    pub activation: Activation,
    /// Time step.
    pub dt_ms: f64,
    /// Relative residual of the solver.
    pub tolerance: f64,
}

impl Subject {
    /// A network of these sizes from input to output, with drawn weights. A first population without neurons stands for no input: targets then
    /// move in each step.
    #[must_use]
    pub fn layered(sizes: &[usize], how: Layered) -> Self {
        let is_static = sizes.first().is_some_and(|&n_in| n_in > 0);
        let population = |(i, &size): (usize, &usize)| Population {
            name: format!("p{i}"),
            size,
            bias_factor: 1.0,
            bias_clip: None,
        };
        let populations: Vec<Population> = sizes.iter().enumerate().map(population).collect();
        let mut projections = how.architecture.projections(sizes.len(), is_static);
        projections.retain(|p| sizes[p.pre] > 0 && sizes[p.post] > 0);
        let network = Network {
            populations,
            projections,
            activation: how.activation,
            input: if is_static { InputMode::Clamped } else { InputMode::Driven },
            microcircuit: None,
        };
        let settings = Settings {
            dt_ms: how.dt_ms,
            tolerance: how.tolerance,
            newton_tolerance: how.tolerance,
            ..Settings::default()
        };
        let names = Architecture::NAMES.into_iter().find(|(_, a)| *a == how.architecture);
        let n_out = network.n_out();
        Self {
            architecture: names.map_or_else(String::new, |(name, _)| name.to_owned()),
            weight_init: weights(&network),
            bias_init: vec![Init { kind: InitKind::Zeros, clip: None }; sizes.len()],
            microcircuit_init: None,
            network,
            settings,
            defaults: [32, 100],
            is_static,
            tables: Tables::from(Encoding::Unit),
            ramp: Ramp::default(),
            gates: Gates::default(),
            beta: vec![BETA; n_out],
            rates: [RATE; 2],
        }
    }

    /// The network of an experiment with its settings, presentations and learning rates. Samples are made up.
    #[must_use]
    pub fn of_experiment(e: &Experiment) -> Self {
        let t = &e.training;
        // Of a window of recordings a piece as long as a mini-batch of digits takes.
        let steps = if e.data.is_series() { 100 } else { t.steps_per_sample };
        Self {
            architecture: e.name.clone(),
            network: e.network.clone(),
            settings: e.settings,
            defaults: [t.batch, steps],
            is_static: !e.data.is_series(),
            tables: Tables::from(e.data.encoding),
            ramp: t.ramp,
            gates: t.gates,
            beta: e.beta.clone(),
            rates: [e.rate_w, e.rate_b],
            weight_init: e.weight_init.clone(),
            bias_init: e.bias_init.clone(),
            microcircuit_init: e.microcircuit_init,
        }
    }

    /// Weights and biases, the same each time.
    #[must_use]
    pub(super) fn parameters(&self) -> Parameters {
        let mut all = Parameters::draw(&self.network, &self.weight_init, &self.bias_init, 1);
        if let Some(init) = &self.microcircuit_init {
            all.microcircuit = MicrocircuitParameters::draw(&self.network, init, 1);
        }
        all
    }
}

/// Initial weights, one a projection. A block of independent entries of standard deviation σ has about the norm `σ(√pre + √post)`.
fn weights(network: &Network) -> Vec<Init> {
    let forward = network.is_feedforward();
    let size = |p: usize| (network.populations[p].size as f64).sqrt();
    let onto = |post: usize| network.projections.iter().filter(|p| p.post == post).count() as f64;
    let init = |p: &crate::network::Projection| {
        let std = if forward {
            VARIANCE.sqrt() / size(p.pre)
        } else {
            NORM / (size(p.pre) + size(p.post)) / onto(p.post).max(1.0).sqrt()
        };
        Init { kind: InitKind::Normal { mean: 0.0, std }, clip: Some(3.0 * std) }
    };
    network.projections.iter().map(init).collect()
}
