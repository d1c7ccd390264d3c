//! What a simulation of a network with a microcircuit is given beside the rest: which weights learn, where interneurons start.

use super::SimulationError;
use super::input::length;
use crate::network::{Block, InputMode, Kind, Microcircuit, MicrocircuitParameters, Network, Parameters};

/// Learning switches and the state of the interneurons at the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MicrocircuitInput {
    /// Whether W^IP (and b^I if W^IP learns), W^PI (and b^I if interneurons are tied) and B learn, `[T]`; empty = as W.
    pub learn: Vec<[bool; 3]>,
    /// u^I, `[B, M]`; `None` = at their targets for dynamic interneurons. Others have no state.
    pub u: Option<Vec<f64>>,
    /// u̇^I of the step before, `[B, M]`; `None` = 0.
    pub u_dot: Option<Vec<f64>>,
}

impl MicrocircuitInput {
    /// Checks every length.
    pub(super) fn check(
        &self,
        network: &Network,
        parameters: &MicrocircuitParameters,
        (steps, batch): (usize, usize),
    ) -> Result<(), SimulationError> {
        let Some(micro) = &network.microcircuit else { return Ok(()) };
        if !self.learn.is_empty() {
            length("learn", "[T, 4]", steps, self.learn.len())?;
        }
        let cells = micro.count(network);
        for (name, given) in [("u_I0", &self.u), ("u_I_dot0", &self.u_dot)] {
            if let Some(given) = given {
                length(name, "[B, M]", batch * cells, given.len())?;
            }
        }
        check_parameters(micro, network, parameters)
    }

    /// The switches of step `t`, where W learns or not.
    pub(super) fn at(&self, t: usize, weights: bool) -> [bool; 3] {
        self.learn.get(t).copied().unwrap_or([weights; 3])
    }
}

fn check_parameters(
    micro: &Microcircuit,
    network: &Network,
    parameters: &MicrocircuitParameters,
) -> Result<(), SimulationError> {
    for (prefix, kind) in Kind::NAMES {
        let (blocks, given) = (micro.stored(network, kind), parameters.of(kind));
        length(prefix, "one block a pathway", blocks.len(), given.len())?;
        for (block, values) in blocks.iter().zip(given) {
            length(&format!("{prefix}:{}", block.name), "[to, from]", block.len(), values.len())?;
        }
    }
    length("b_I", "[M]", micro.stored_biases(network), parameters.biases.len())
}

/// Targets g^I of the interneurons for voltages `u`, `[B, N]`, and inputs `x`, `[B, n_in]`: where dynamic interneurons start.
pub(super) fn targets(network: &Network, parameters: &Parameters, u: &[f64], x: &[f64]) -> Vec<f64> {
    let Some(micro) = &network.microcircuit else { return Vec::new() };
    let own = &parameters.microcircuit;
    let (cells, n, n_in) = (micro.count(network), network.neurons(), network.n_in());
    let biases = if own.biases.is_empty() { &parameters.biases } else { &own.biases };
    let mut all = Vec::with_capacity(u.len() / n.max(1) * cells);
    for (b, u) in u.chunks_exact(n).enumerate() {
        let rate = |i: usize| {
            let identity = i < n_in && network.input == InputMode::Rates;
            if identity { u[i] } else { network.activation.eval(u[i]).0 }
        };
        let mut g = biases.clone();
        if micro.is_tied() {
            g.iter_mut().zip(&x[b * n_in..(b + 1) * n_in]).for_each(|(g, x)| *g += x);
        }
        let ip = if micro.is_tied() { &parameters.weights } else { &own.ip };
        for (block, w) in micro.ip_blocks(network).iter().zip(ip) {
            add(&mut g, block, w, 1.0, rate);
        }
        g.iter_mut().for_each(|g| *g *= 1.0 - micro.beta);
        for (block, w) in micro.nudge_blocks(network).iter().zip(&own.nudge) {
            add(&mut g, block, w, micro.beta, |i| u[i]);
        }
        all.extend(g);
    }
    all
}

/// `g_to += scale · w x_from`.
fn add(g: &mut [f64], block: &Block, w: &[f64], scale: f64, x: impl Fn(usize) -> f64) {
    for (g, row) in g[block.to.range()].iter_mut().zip(w.chunks_exact(block.from.len)) {
        *g += scale * row.iter().zip(block.from.range()).map(|(w, i)| w * x(i)).sum::<f64>();
    }
}
