//! What a microcircuit learns, and how it is drawn.

use super::{Block, Microcircuit, Pathway};
use crate::network::{Init, InitKind, Network};
use crate::random::{Purpose, stream};

/// Parameters of a microcircuit; each list has an entry a block, `[to, from]` row-major. What is transported or tied has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MicrocircuitParameters {
    /// B.
    pub feedback: Vec<Vec<f64>>,
    /// W^PI.
    pub pi: Vec<Vec<f64>>,
    /// W^IP.
    pub ip: Vec<Vec<f64>>,
    /// B^IP.
    pub nudge: Vec<Vec<f64>>,
    /// b^I, `[M]`.
    pub biases: Vec<f64>,
}

/// The kinds of blocks with weights of their own, with the prefix of their names in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// B.
    Feedback,
    /// W^PI.
    Pi,
    /// W^IP.
    Ip,
    /// B^IP.
    Nudge,
}

impl Kind {
    /// All of them, with the names of their weights.
    pub const NAMES: [(&'static str, Kind); 4] =
        [("B", Kind::Feedback), ("WPI", Kind::Pi), ("WIP", Kind::Ip), ("BIP", Kind::Nudge)];
}

impl Microcircuit {
    /// The blocks of a kind that have weights of their own, in the order of [`MicrocircuitParameters`].
    #[must_use]
    pub fn stored(&self, network: &Network, kind: Kind) -> Vec<Block> {
        match kind {
            Kind::Feedback if self.feedback == Pathway::Separate => self.feedback_blocks(network),
            Kind::Pi if self.pi == Pathway::Separate => self.pi_blocks(network),
            Kind::Ip if !self.is_tied() => self.ip_blocks(network),
            Kind::Nudge => self.nudge_blocks(network),
            _ => Vec::new(),
        }
    }

    /// Number of biases b^I of their own.
    #[must_use]
    pub fn stored_biases(&self, network: &Network) -> usize {
        if self.pi == Pathway::Transport { 0 } else { self.count(network) }
    }
}

impl MicrocircuitParameters {
    /// The blocks of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &Vec<Vec<f64>> {
        match kind {
            Kind::Feedback => &self.feedback,
            Kind::Pi => &self.pi,
            Kind::Ip => &self.ip,
            Kind::Nudge => &self.nudge,
        }
    }

    /// The blocks of a kind, to be changed.
    pub fn of_mut(&mut self, kind: Kind) -> &mut Vec<Vec<f64>> {
        match kind {
            Kind::Feedback => &mut self.feedback,
            Kind::Pi => &mut self.pi,
            Kind::Ip => &mut self.ip,
            Kind::Nudge => &mut self.nudge,
        }
    }

    /// Draws all parameters that have weights of their own.
    #[must_use]
    pub fn draw(network: &Network, init: &MicrocircuitInit, seed: u64) -> Self {
        let mut all = Self::default();
        let Some(micro) = &network.microcircuit else { return all };
        for (_, kind) in Kind::NAMES {
            let how = match kind {
                Kind::Feedback => Some(init.feedback),
                Kind::Pi => init.pi,
                Kind::Ip => Some(init.ip),
                Kind::Nudge => Some(init.nudge),
            };
            let blocks = micro.stored(network, kind);
            let draw = |(i, block): (usize, &Block)| {
                let mut rng = stream(seed, Purpose::Microcircuit, 0, ((kind as u64) << 32) + i as u64);
                let mut drawn = how?.draw(&mut rng, block.len(), block.from.len, block.to.len);
                let hollow = block.projection.is_some_and(|k| network.projections[k].is_hollow());
                // The pattern of Wᵀ is hollow where W is.
                if hollow && (kind != Kind::Nudge || micro.is_tied()) {
                    drawn.iter_mut().step_by(block.from.len + 1).for_each(|w| *w = 0.0);
                }
                Some(drawn)
            };
            let drawn: Option<Vec<Vec<f64>>> = blocks.iter().enumerate().map(draw).collect();
            // W^PI that starts as B: both have a block a projection.
            *all.of_mut(kind) = drawn.unwrap_or_else(|| all.feedback.clone());
        }
        let count = micro.stored_biases(network);
        let mut rng = stream(seed, Purpose::Microcircuit, 0, 4 << 32);
        all.biases = init.biases.draw(&mut rng, count, 1, count);
        all
    }
}

/// How the parameters of a microcircuit are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MicrocircuitInit {
    /// B.
    pub feedback: Init,
    /// W^PI; `None` = as B, with tied interneurons: then `B u − W^PI u^I` is feedback alignment from the start.
    pub pi: Option<Init>,
    /// W^IP.
    pub ip: Init,
    /// B^IP.
    pub nudge: Init,
    /// b^I.
    pub biases: Init,
}

impl Default for MicrocircuitInit {
    fn default() -> Self {
        let lecun = Init { kind: InitKind::Lecun, clip: None };
        let zeros = Init { kind: InitKind::Zeros, clip: None };
        Self { feedback: lecun, pi: Some(lecun), ip: lecun, nudge: lecun, biases: zeros }
    }
}
