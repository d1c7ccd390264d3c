//! The learning microcircuit (model, section 4): separate feedback weights and interneurons in place of weight transport.
//!
//! Interneurons of population l have `u^I_l = (1 − β^I)(W^IP_l r̄_l + b^I) + β^I B^IP_l u_{l+1}`; the apical error is
//! `ē^A_l = B_l u_{l+1} − W^PI_l u^I_l`.

mod parameters;

pub use parameters::{Kind, MicrocircuitInit, MicrocircuitParameters};

use super::Network;
use crate::plan::Cols;

/// Where the weights onto interneurons come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterneuronInput {
    /// W^IP is a full block a population that learns to follow the interneuron's voltage.
    Learned,
    /// Each interneuron copies a neuron: W^IP = W, always.
    Tied,
}

impl InterneuronInput {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, InterneuronInput); 2] =
        [("learned", InterneuronInput::Learned), ("tied", InterneuronInput::Tied)];
}

/// Whether interneurons have a time constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterneuronDynamics {
    /// They are at their target at once.
    Instantaneous,
    /// They follow it with τ and look-ahead.
    Dynamic,
}

impl InterneuronDynamics {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, InterneuronDynamics); 2] =
        [("instantaneous", InterneuronDynamics::Instantaneous), ("dynamic", InterneuronDynamics::Dynamic)];
}

/// Where a backward pathway comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pathway {
    /// Weights of its own, which learn or stay.
    Separate,
    /// The transpose of W, always.
    Transport,
}

impl Pathway {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, Pathway); 2] =
        [("separate", Pathway::Separate), ("transport", Pathway::Transport)];
}

/// The interneurons of a population.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interneurons {
    /// Index of the population.
    pub population: usize,
    /// Number of interneurons; 0 = feedback weights alone.
    pub size: usize,
    /// Learning-rate factor of W^IP, W^PI and b^I.
    pub factor: f64,
}

/// The learning microcircuit of a network. Rates are per ms.
#[derive(Clone, Debug, PartialEq)]
pub struct Microcircuit {
    /// W^IP.
    pub ip: InterneuronInput,
    /// `Learned`: the populations that have interneurons, in the order of the interneurons. Empty with `Tied`.
    pub interneurons: Vec<Interneurons>,
    /// Dynamics of the interneurons.
    pub dynamics: InterneuronDynamics,
    /// B.
    pub feedback: Pathway,
    /// W^PI; `Transport` with `Tied` alone.
    pub pi: Pathway,
    /// β^I, the nudging of interneurons by the voltages above, in [0, 1].
    pub beta: f64,
    /// η^IP.
    pub rate_ip: f64,
    /// η^PI.
    pub rate_pi: f64,
    /// η^B.
    pub rate_feedback: f64,
    /// η_bI.
    pub rate_bi: f64,
}

impl Microcircuit {
    /// Whether it is weight transport by other means: `E = Wᵀ δ`.
    #[must_use]
    pub fn mirrors(&self) -> bool {
        let transport = self.feedback == Pathway::Transport && self.pi == Pathway::Transport;
        self.is_tied() && transport && self.beta == 0.0
    }
}

/// A weight block of the microcircuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// `from->to` by the names of populations; one name for blocks within a population.
    pub name: String,
    /// Columns (neurons or interneurons) that the block drives.
    pub to: Cols,
    /// Columns that drive it.
    pub from: Cols,
    /// Learning-rate factor.
    pub factor: f64,
    /// The projection of W that it belongs to, where there is one.
    pub projection: Option<usize>,
}

impl Block {
    /// Number of weights.
    #[must_use]
    pub fn len(&self) -> usize {
        self.to.len * self.from.len
    }
    /// Whether there are no weights.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a microcircuit does not fit its network.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MicrocircuitError {
    /// Interneurons of a population that does not exist.
    #[error("there are interneurons of population {0}, but there are only {1} populations")]
    NoSuchPopulation(usize, usize),
    /// Two entries for one population.
    #[error("the interneurons of population '{0}' are given twice; keep one entry")]
    Twice(String),
    /// Tied interneurons are as many as neurons.
    #[error(
        "with ip = \"tied\" every neuron has its interneuron; leave out the list of interneurons, or take ip = \"learned\""
    )]
    TiedSizes,
    /// No population with interneurons or feedback weights.
    #[error("with ip = \"learned\" at least one population needs an entry in the list of interneurons")]
    Nobody,
    /// Transported W^PI needs as many interneurons as neurons.
    #[error(
        "pi = \"transport\" needs ip = \"tied\": interneurons that stand for the neurons whose weights they take"
    )]
    TransportOfLearned,
    /// β^I outside [0, 1].
    #[error("the nudging of interneurons is {0}; it lies between 0 and 1")]
    Beta(String),
}

impl Microcircuit {
    /// Checks it against its network.
    ///
    /// # Errors
    /// See [`MicrocircuitError`].
    pub fn check(&self, network: &Network) -> Result<(), MicrocircuitError> {
        let count = network.populations.len();
        for (k, i) in self.interneurons.iter().enumerate() {
            let Some(population) = network.populations.get(i.population) else {
                return Err(MicrocircuitError::NoSuchPopulation(i.population, count));
            };
            if self.interneurons[..k].iter().any(|j| j.population == i.population) {
                return Err(MicrocircuitError::Twice(population.name.clone()));
            }
        }
        match self.ip {
            InterneuronInput::Tied if !self.interneurons.is_empty() => {
                return Err(MicrocircuitError::TiedSizes);
            }
            InterneuronInput::Learned if self.interneurons.is_empty() => {
                return Err(MicrocircuitError::Nobody);
            }
            InterneuronInput::Learned if self.pi == Pathway::Transport => {
                return Err(MicrocircuitError::TransportOfLearned);
            }
            _ => {}
        }
        // Also refuses NaN.
        if !(0.0..=1.0).contains(&self.beta) {
            return Err(MicrocircuitError::Beta(self.beta.to_string()));
        }
        Ok(())
    }

    /// Whether interneurons copy neurons.
    #[must_use]
    pub fn is_tied(&self) -> bool {
        self.ip == InterneuronInput::Tied
    }

    /// Number of interneurons M.
    #[must_use]
    pub fn count(&self, network: &Network) -> usize {
        if self.is_tied() { network.neurons() } else { self.interneurons.iter().map(|i| i.size).sum() }
    }

    /// The interneurons of a population among all M; `None` for a population without an entry.
    #[must_use]
    pub fn cols(&self, network: &Network, population: usize) -> Option<Cols> {
        if self.is_tied() {
            return Some(network.cols(population));
        }
        let at = self.interneurons.iter().position(|i| i.population == population)?;
        let start = self.interneurons[..at].iter().map(|i| i.size).sum();
        Some(Cols { start, len: self.interneurons[at].size })
    }

    /// Blocks of B, one a projection of W into whose presynaptic population feedback runs.
    #[must_use]
    pub fn feedback_blocks(&self, network: &Network) -> Vec<Block> {
        let block = |(k, p): (usize, &super::Projection)| {
            self.cols(network, p.pre)?;
            Some(back(network, k, network.cols(p.pre), network.cols(p.post)))
        };
        network.projections.iter().enumerate().filter_map(block).collect()
    }

    /// Blocks of W^PI: within a population, or with tied interneurons one a projection of W.
    #[must_use]
    pub fn pi_blocks(&self, network: &Network) -> Vec<Block> {
        if self.is_tied() {
            return self.feedback_blocks(network);
        }
        let own = self.own(network).map(|(name, neurons, cells, factor)| Block {
            name,
            to: neurons,
            from: cells,
            factor,
            projection: None,
        });
        own.collect()
    }

    /// Blocks of W^IP; with tied interneurons those of W.
    #[must_use]
    pub fn ip_blocks(&self, network: &Network) -> Vec<Block> {
        if self.is_tied() {
            let all = network.projections.iter().enumerate();
            return all
                .map(|(k, p)| Block {
                    name: network.projection_name(k),
                    to: network.cols(p.post),
                    from: network.cols(p.pre),
                    factor: p.factor,
                    projection: Some(k),
                })
                .collect();
        }
        let own = self.own(network).map(|(name, neurons, cells, factor)| Block {
            name,
            to: cells,
            from: neurons,
            factor,
            projection: None,
        });
        own.collect()
    }

    /// Blocks of B^IP, one a projection of W from a population with interneurons; none without nudging.
    #[must_use]
    pub fn nudge_blocks(&self, network: &Network) -> Vec<Block> {
        let block = |(k, p): (usize, &super::Projection)| {
            let to = self.cols(network, p.pre).filter(|c| c.len > 0 && self.beta != 0.0)?;
            Some(Block { factor: 0.0, ..back(network, k, to, network.cols(p.post)) })
        };
        network.projections.iter().enumerate().filter_map(block).collect()
    }

    /// Name, neurons, interneurons and factor of each population with learned interneurons.
    fn own<'a>(&'a self, network: &'a Network) -> impl Iterator<Item = (String, Cols, Cols, f64)> + 'a {
        self.interneurons.iter().filter(|i| i.size > 0).filter_map(|i| {
            let cells = self.cols(network, i.population)?;
            let name = network.populations[i.population].name.clone();
            Some((name, network.cols(i.population), cells, i.factor))
        })
    }
}

/// A block that runs against projection `k`.
fn back(network: &Network, k: usize, to: Cols, from: Cols) -> Block {
    let p = &network.projections[k];
    let name = format!("{}->{}", network.populations[p.post].name, network.populations[p.pre].name);
    Block { name, to, from, factor: p.factor, projection: Some(k) }
}
