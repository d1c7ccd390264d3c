//! Buffers of a microcircuit.

use super::super::Features;
use super::super::layout::Maker;
use crate::network::{Block, InterneuronInput, Kind, Microcircuit, Network, Pathway};
use crate::plan::{Buf, Cols, Rate, Role};

/// A block of weights. B and W^PI lie as W does, `[from, to]`, so that their transported copies are W itself and every product with them
/// is one against a projection; W^IP and B^IP lie as `[to, from]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// The weights.
    pub w: Buf,
    /// Their derivative, if they learn.
    pub rate: Option<Buf>,
    /// Columns that the block drives.
    pub to: Cols,
    /// Columns that drive it.
    pub from: Cols,
    /// Learning-rate factor.
    pub factor: f64,
    /// The projection of W that it belongs to, where there is one.
    pub projection: Option<usize>,
}

/// Buffers of a microcircuit with N neurons and M interneurons. A pathway without weights of its own is that of W.
#[derive(Clone, Debug, PartialEq)]
pub struct MicroLayout {
    /// B.
    pub feedback: Vec<Path>,
    /// W^PI.
    pub pi: Vec<Path>,
    /// W^IP.
    pub ip: Vec<Path>,
    /// B^IP.
    pub nudge: Vec<Path>,
    /// b^I, `[1, M]`.
    pub biases: Buf,
    /// ḃ^I.
    pub bias_rates: Buf,
    /// Factors of b^I.
    pub bias_factors: Buf,
    /// u^I, `[batch, M]`.
    pub u: Buf,
    /// u̇^I, `[batch, M]`; empty if instantaneous.
    pub u_dot: Buf,
    /// u^I as the next step will see it, `[batch, M]`.
    pub ahead: Buf,
    /// What is left of u^I − g^I after a step of `equilibrium`, `[batch, M]`; empty if instantaneous.
    pub gap: Buf,
    /// Basal input, `[batch, M]`.
    pub p: Buf,
    /// Target, `[batch, M]`.
    pub g: Buf,
    /// u^I − p, `[batch, M]`.
    pub mismatch: Buf,
    /// What moves interneurons beside u̇ of the free neurons, `[batch, M]`.
    pub m: Buf,
    /// T y, `[batch, M]`.
    pub t: Buf,
    /// B u, then u − B u, `[batch, N]`.
    pub sum: Buf,
    /// Apical part of an image or of the right-hand side, `[batch, N]`.
    pub q: Buf,
}

impl MicroLayout {
    /// Buffers of `micro`; W, its rates, b and ḃ are there already.
    pub(in super::super) fn new(
        m: &mut Maker,
        micro: &Microcircuit,
        net: &Network,
        batch: usize,
        features: Features,
        (weights, weight_rates): (&[Buf], &[Option<Buf>]),
        (b, b_dot, b_factor): (Buf, Buf, Buf),
    ) -> Self {
        let mut paths = Paths { m, micro, net, learning: features.learning, weights, weight_rates };
        let feedback = paths.make(Kind::Feedback, micro.feedback == Pathway::Transport);
        let pi = paths.make(Kind::Pi, micro.pi == Pathway::Transport);
        let ip = paths.make(Kind::Ip, micro.is_tied());
        let nudge = paths.make(Kind::Nudge, false);
        let (cells, n) = (micro.count(net), net.neurons());
        let dynamic = micro.dynamics == crate::network::InterneuronDynamics::Dynamic;
        let own = micro.pi == Pathway::Separate;
        let mut bias =
            |name: &str, other: Buf| if own { m.real(name, Role::Parameter, 1, cells) } else { other };
        let (biases, bias_rates) = (bias("b^I", b), bias("b^I_dot", b_dot));
        // Tied biases learn with the factors of the neurons' own.
        let bias_factors = if micro.is_tied() { b_factor } else { bias("b^I_factor", b_factor) };
        let mut field = |name: &str, role: Role, on: bool, cols: usize| {
            m.real(name, role, if on { batch } else { 0 }, cols)
        };
        Self {
            feedback,
            pi,
            ip,
            nudge,
            biases,
            bias_rates,
            bias_factors,
            u: field("u^I", Role::State, true, cells),
            u_dot: field("u^I_dot", Role::State, dynamic, cells),
            ahead: field("u^I_ahead", Role::Scratch, true, cells),
            gap: field("u^I_gap", Role::Scratch, dynamic, cells),
            p: field("p^I", Role::Scratch, true, cells),
            g: field("g^I", Role::Scratch, true, cells),
            mismatch: field("delta^I", Role::Scratch, true, cells),
            m: field("m^I", Role::Scratch, true, cells),
            t: field("T y", Role::Scratch, true, cells),
            sum: field("B u", Role::Scratch, true, n),
            q: field("apical_drive", Role::Scratch, true, n),
        }
    }

    /// The blocks of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &[Path] {
        match kind {
            Kind::Feedback => &self.feedback,
            Kind::Pi => &self.pi,
            Kind::Ip => &self.ip,
            Kind::Nudge => &self.nudge,
        }
    }
}

struct Paths<'a> {
    m: &'a mut Maker,
    micro: &'a Microcircuit,
    net: &'a Network,
    learning: bool,
    weights: &'a [Buf],
    weight_rates: &'a [Option<Buf>],
}

impl Paths<'_> {
    /// The blocks of a kind: with buffers of their own, or those of W.
    fn make(&mut self, kind: Kind, of_w: bool) -> Vec<Path> {
        let blocks = match kind {
            Kind::Feedback => self.micro.feedback_blocks(self.net),
            Kind::Pi => self.micro.pi_blocks(self.net),
            Kind::Ip => self.micro.ip_blocks(self.net),
            Kind::Nudge => self.micro.nudge_blocks(self.net),
        };
        let path = |block: Block| {
            let (w, rate) = match block.projection {
                Some(k) if of_w => (self.weights[k], self.weight_rates[k]),
                _ => self.own(kind, &block),
            };
            let Block { to, from, factor, projection, .. } = block;
            Path { w, rate, to, from, factor, projection }
        };
        blocks.into_iter().map(path).collect()
    }

    fn own(&mut self, kind: Kind, block: &Block) -> (Buf, Option<Buf>) {
        let prefix = Kind::NAMES.iter().find(|(_, k)| *k == kind).map_or("", |(name, _)| name);
        let name = format!("{prefix} {}", block.name);
        let (rows, cols) = shape(kind, block);
        let w = self.m.real(&name, Role::Parameter, rows, cols);
        let learns = self.learning && block.factor != 0.0 && self.eta(kind) != 0.0;
        let rate = learns.then(|| self.m.real(format!("{name} dot"), Role::Parameter, rows, cols));
        (w, rate)
    }

    fn eta(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Feedback => self.micro.rate_feedback,
            Kind::Pi => self.micro.rate_pi,
            Kind::Ip => self.micro.rate_ip,
            Kind::Nudge => 0.0,
        }
    }
}

/// Rows and columns of the buffer of a block.
fn shape(kind: Kind, block: &Block) -> (usize, usize) {
    if lies_transposed(kind) { (block.from.len, block.to.len) } else { (block.to.len, block.from.len) }
}

/// Whether a block `[to, from]` lies as `[from, to]` on the device.
#[must_use]
pub fn lies_transposed(kind: Kind) -> bool {
    matches!(kind, Kind::Feedback | Kind::Pi)
}

/// The learning rate of a kind of blocks.
pub(super) fn rate_of(kind: Kind) -> Rate {
    match kind {
        Kind::Feedback => Rate::Feedback,
        Kind::Pi => Rate::Apical,
        Kind::Ip | Kind::Nudge => Rate::Interneurons,
    }
}

/// Whether a kind has weights and derivatives of its own.
pub(super) fn is_own(micro: &Microcircuit, kind: Kind) -> bool {
    match kind {
        Kind::Feedback => micro.feedback == Pathway::Separate,
        Kind::Pi => micro.pi == Pathway::Separate,
        Kind::Ip => micro.ip == InterneuronInput::Learned,
        Kind::Nudge => true,
    }
}
