//! How far the microcircuit has come: angles between what was learned and what would transport the error.

use super::{Block, Kind, Microcircuit, Network, Parameters, Pathway};

/// Angles of a population, in degrees; 0 = aligned, 90 = unrelated. `None` where one of the two is 0.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Alignment {
    /// Name of the population.
    pub population: String,
    /// Between B, the feedback into the population, and the transpose of the W that it answers.
    pub feedback_deg: Option<f64>,
    /// Between `W^PI W^IP`, the way through the interneurons, and `B W`, the way through the populations above.
    pub interneurons_deg: Option<f64>,
}

/// The angles of every free population that feedback runs into; none without a microcircuit, nor where both pathways are transported.
#[must_use]
pub fn alignment(network: &Network, parameters: &Parameters) -> Vec<Alignment> {
    let Some(micro) = &network.microcircuit else { return Vec::new() };
    if micro.feedback == Pathway::Transport && micro.pi == Pathway::Transport {
        return Vec::new();
    }
    let free = network.free().start;
    let ways = Ways { network, micro, parameters };
    let populations = (0..network.populations.len()).filter(|&p| network.cols(p).start >= free);
    populations.filter_map(|p| ways.of(p)).collect()
}

struct Ways<'a> {
    network: &'a Network,
    micro: &'a Microcircuit,
    parameters: &'a Parameters,
}

impl Ways<'_> {
    fn of(&self, population: usize) -> Option<Alignment> {
        let n = self.network.populations[population].size;
        if n == 0 {
            return None;
        }
        let (mut feedback, mut transported) = (Vec::new(), Vec::new());
        let mut through = vec![0.0; n * n];
        let mut by_cells = vec![0.0; n * n];
        for (block, b) in self.blocks(Kind::Feedback) {
            let Some(k) = block.projection.filter(|&k| self.network.projections[k].pre == population) else {
                continue;
            };
            let w = &self.parameters.weights[k];
            add_product(&mut through, &b, w, n);
            transported.extend(transposed(w, n));
            feedback.extend(b);
        }
        if feedback.is_empty() {
            return None;
        }
        let cols = self.network.cols(population);
        for (block, pi) in self.blocks(Kind::Pi).into_iter().filter(|(b, _)| b.to == cols) {
            match block.projection {
                Some(k) => add_product(&mut by_cells, &pi, &self.parameters.weights[k], n),
                None => {
                    let own = self.micro.ip_blocks(self.network);
                    let at = own.iter().position(|b| b.from == cols)?;
                    add_product(&mut by_cells, &pi, &self.parameters.microcircuit.ip[at], n);
                }
            }
        }
        Some(Alignment {
            population: self.network.populations[population].name.clone(),
            feedback_deg: angle_deg(&feedback, &transported),
            interneurons_deg: angle_deg(&by_cells, &through),
        })
    }

    /// The blocks of B or W^PI with their weights `[to, from]`, those that are transported included.
    fn blocks(&self, kind: Kind) -> Vec<(Block, Vec<f64>)> {
        let stored = self.parameters.microcircuit.of(kind);
        let blocks = match kind {
            Kind::Feedback => self.micro.feedback_blocks(self.network),
            _ => self.micro.pi_blocks(self.network),
        };
        let own = !self.micro.stored(self.network, kind).is_empty();
        let weights = |(i, block): (usize, Block)| {
            let values = match block.projection {
                Some(k) if !own => transposed(&self.parameters.weights[k], block.to.len),
                _ => stored.get(i)?.clone(),
            };
            Some((block, values))
        };
        blocks.into_iter().enumerate().filter_map(weights).collect()
    }
}

/// `out += a b` with `a` of `n` rows and `b` of `n` columns.
fn add_product(out: &mut [f64], a: &[f64], b: &[f64], n: usize) {
    let depth = a.len() / n;
    for (out, a) in out.chunks_exact_mut(n).zip(a.chunks_exact(depth.max(1))) {
        for (a, b) in a.iter().zip(b.chunks_exact(n)) {
            out.iter_mut().zip(b).for_each(|(out, b)| *out += a * b);
        }
    }
}

/// The transpose of a matrix with `cols` columns.
fn transposed(values: &[f64], cols: usize) -> Vec<f64> {
    (0..cols).flat_map(|j| values.iter().skip(j).step_by(cols.max(1)).copied()).collect()
}

/// Angle between two matrices as vectors, in degrees.
fn angle_deg(a: &[f64], b: &[f64]) -> Option<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let size = (dot(a, a) * dot(b, b)).sqrt();
    (size > 0.0).then(|| (dot(a, b) / size).clamp(-1.0, 1.0).acos().to_degrees())
}
