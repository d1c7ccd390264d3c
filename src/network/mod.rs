//! The neuroscience: populations, projections between them, activations, initialisation. No device in it.

mod activation;
mod alignment;
mod init;
mod microcircuit;
mod topology;

pub use activation::Activation;
pub use alignment::{Alignment, alignment};
pub use init::{Init, InitKind, Parameters};
pub use microcircuit::{
    Block, InterneuronDynamics, InterneuronInput, Interneurons, Kind, Microcircuit, MicrocircuitError,
    MicrocircuitInit, MicrocircuitParameters, Pathway,
};
pub use topology::{Architecture, expand};

use crate::plan::Cols;

/// A group of neurons.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Shown in errors, metrics and files.
    pub name: String,
    /// Number of neurons.
    pub size: usize,
    /// Learning-rate factor of the biases; 0 = they do not learn.
    pub bias_factor: f64,
    /// Bound on |b| after each step.
    pub bias_clip: Option<f64>,
}

/// All-to-all connections from one population to another: one weight block `[post, pre]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// Index of the presynaptic population.
    pub pre: usize,
    /// Index of the postsynaptic population.
    pub post: usize,
    /// Learning-rate factor; 0 = connected, does not learn.
    pub factor: f64,
    /// Bound on |W| after each step.
    pub clip: Option<f64>,
    /// Of a projection from a population to itself: neurons may project onto themselves. Otherwise the diagonal of W stays 0.
    pub self_connections: bool,
}

impl Projection {
    /// A projection that learns with factor 1, without a clip and without self-connections.
    #[must_use]
    pub fn between(pre: usize, post: usize) -> Self {
        Self { pre, post, factor: 1.0, clip: None, self_connections: false }
    }

    /// Whether the diagonal of W stays 0: no neuron projects onto itself.
    #[must_use]
    pub fn is_hollow(&self) -> bool {
        self.pre == self.post && !self.self_connections
    }
}

/// How the input population (the first) is driven (model, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputMode {
    /// Voltages are prescribed.
    Clamped,
    /// Ordinary neurons with drive x: they follow x with look-ahead.
    Driven,
    /// As clamped, with ρ the identity on the input population.
    Rates,
}

impl InputMode {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, InputMode); 3] =
        [("clamped", InputMode::Clamped), ("driven", InputMode::Driven), ("rates", InputMode::Rates)];

    /// Whether the voltages of the input population are prescribed.
    #[must_use]
    pub fn is_clamped(self) -> bool {
        self != InputMode::Driven
    }
}

/// Populations in order, projections between them. The first population is the input, the last the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// In forward order.
    pub populations: Vec<Population>,
    /// In any order.
    pub projections: Vec<Projection>,
    /// ρ of all neurons.
    pub activation: Activation,
    /// How the first population is driven.
    pub input: InputMode,
    /// Interneurons and separate feedback weights; `None` = weight transport without interneurons.
    pub microcircuit: Option<Microcircuit>,
}

/// Why a network cannot be run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// Its microcircuit.
    #[error(transparent)]
    Microcircuit(#[from] MicrocircuitError),
    /// Fewer than two populations.
    #[error("a network needs an input and an output population; this one has {0} population(s)")]
    TooFew(usize),
    /// A population without neurons that is not the input.
    #[error("population '{0}' has no neurons; only the input population may have none")]
    Empty(String),
    /// A projection names a population that does not exist.
    #[error("projection {0} names population {1}, but there are only {2}")]
    NoSuchPopulation(usize, usize, usize),
    /// Two projections between the same populations.
    #[error("there are two projections from '{pre}' to '{post}'; keep one")]
    Twice {
        /// Presynaptic population.
        pre: String,
        /// Postsynaptic population.
        post: String,
    },
}

impl Network {
    /// Number of neurons N.
    #[must_use]
    pub fn neurons(&self) -> usize {
        self.populations.iter().map(|p| p.size).sum()
    }

    /// Columns of population `p` in a `[batch, N]` buffer.
    #[must_use]
    pub fn cols(&self, p: usize) -> Cols {
        Cols { start: self.populations[..p].iter().map(|p| p.size).sum(), len: self.populations[p].size }
    }

    /// Size of the input population.
    #[must_use]
    pub fn n_in(&self) -> usize {
        self.populations.first().map_or(0, |p| p.size)
    }

    /// Size of the output population.
    #[must_use]
    pub fn n_out(&self) -> usize {
        self.populations.last().map_or(0, |p| p.size)
    }

    /// Columns of the output population.
    #[must_use]
    pub fn outputs(&self) -> Cols {
        self.cols(self.populations.len() - 1)
    }

    /// Columns whose voltages are solved for: all but a clamped input.
    #[must_use]
    pub fn free(&self) -> Cols {
        let start = if self.input.is_clamped() { self.n_in() } else { 0 };
        Cols { start, len: self.neurons() - start }
    }

    /// Columns whose voltages are prescribed (empty with driven inputs).
    #[must_use]
    pub fn clamped(&self) -> Cols {
        Cols { start: 0, len: if self.input.is_clamped() { self.n_in() } else { 0 } }
    }

    /// Whether every projection runs forward, from an earlier to a later population.
    #[must_use]
    pub fn is_feedforward(&self) -> bool {
        self.projections.iter().all(|p| p.pre < p.post)
    }

    /// The first projection that does not run forward.
    #[must_use]
    pub fn first_backward(&self) -> Option<usize> {
        self.projections.iter().position(|p| p.pre >= p.post)
    }

    /// Columns with a mismatch δ: the free ones, and a clamped input that something projects into.
    #[must_use]
    pub fn rows(&self) -> Cols {
        let free = self.free();
        let reached = free.start > 0 && self.projections.iter().any(|p| p.post == 0);
        if reached { Cols { start: 0, len: self.neurons() } } else { free }
    }

    /// Number of weights.
    #[must_use]
    pub fn weights(&self) -> usize {
        self.projections.iter().map(|k| self.populations[k.pre].size * self.populations[k.post].size).sum()
    }

    /// Indices of the projections in the order of a forward sweep: by postsynaptic, then presynaptic population.
    #[must_use]
    pub fn forward_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.projections.len()).collect();
        order.sort_by_key(|&k| (self.projections[k].post, self.projections[k].pre));
        order
    }

    /// The order in which one sweep over the populations gives the steady state at β = 0, where u = a. `None` where none does: on a
    /// graph with cycles, where something projects into a clamped input, whose mismatch then is part of the balance, and with feedback of its
    /// own, whose apical error does not vanish with δ.
    #[must_use]
    pub fn settling_order(&self) -> Option<Vec<usize>> {
        if self.input.is_clamped() && self.projections.iter().any(|p| p.post == 0) {
            return None;
        }
        if self.microcircuit.as_ref().is_some_and(|micro| !micro.mirrors()) {
            return None;
        }
        let mut order = Vec::new();
        while order.len() < self.populations.len() {
            let waits = |p: &usize| {
                let mut from = self.projections.iter().filter(|k| k.post == *p);
                order.contains(p) || from.any(|k| !order.contains(&k.pre))
            };
            let next = (0..self.populations.len()).find(|p| !waits(p))?;
            order.push(next);
        }
        Some(order)
    }

    /// Populations after the first that no projection reaches.
    #[must_use]
    pub fn unreached(&self) -> Vec<usize> {
        let reached = |p: usize| self.projections.iter().any(|k| k.post == p);
        (1..self.populations.len()).filter(|&p| !reached(p)).collect()
    }

    /// Name of a projection, `pre->post`.
    #[must_use]
    pub fn projection_name(&self, k: usize) -> String {
        let p = &self.projections[k];
        format!("{}->{}", self.populations[p.pre].name, self.populations[p.post].name)
    }

    /// Checks that the graph can be run by this version.
    ///
    /// # Errors
    /// See [`NetworkError`].
    pub fn check(&self) -> Result<(), NetworkError> {
        let n = self.populations.len();
        if n < 2 {
            return Err(NetworkError::TooFew(n));
        }
        if let Some(p) = self.populations.iter().skip(1).find(|p| p.size == 0) {
            return Err(NetworkError::Empty(p.name.clone()));
        }
        for (k, p) in self.projections.iter().enumerate() {
            if let Some(&bad) = [p.pre, p.post].iter().find(|&&i| i >= n) {
                return Err(NetworkError::NoSuchPopulation(k, bad, n));
            }
            let name = |i: usize| self.populations[i].name.clone();
            if self.projections[..k].iter().any(|q| (q.pre, q.post) == (p.pre, p.post)) {
                return Err(NetworkError::Twice { pre: name(p.pre), post: name(p.post) });
            }
        }
        if let Some(microcircuit) = &self.microcircuit {
            microcircuit.check(self)?;
        }
        Ok(())
    }

    /// The architecture as people write it: `784-300-100-10`.
    #[must_use]
    pub fn sizes(&self) -> String {
        self.populations.iter().map(|p| p.size.to_string()).collect::<Vec<_>>().join("-")
    }
}
