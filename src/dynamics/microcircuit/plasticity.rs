//! Plasticity of B, W^PI, W^IP and b^I (model, section 4).

use super::Circuit;
use super::layout::{is_own, rate_of};
use crate::kernels::{bias_rate, update, weight_rate};
use crate::network::{Kind, Pathway};
use crate::plan::{Cols, Plan, Rate};

impl Circuit<'_> {
    /// Item 4: derivatives from old values. Those of transported and tied weights are Ẇ.
    pub(in super::super) fn plasticity(&self, plan: &mut Plan) {
        let (b, l, lay) = (self.b, self.l, self.b.lay);
        if !b.features.learning {
            return;
        }
        for (_, kind) in Kind::NAMES.iter().filter(|(_, kind)| is_own(self.micro, *kind)) {
            for path in l.of(*kind) {
                let Some(w_dot) = path.rate else { continue };
                // Rows are what drives a block that lies transposed.
                let (delta, r, pre, post) = match kind {
                    Kind::Feedback => (lay.u, l.sum, path.to, path.from),
                    Kind::Pi => (l.u, lay.apical, path.to, path.from),
                    Kind::Ip | Kind::Nudge => (l.mismatch, lay.r, path.from, path.to),
                };
                let (factor, rate) = (path.factor, rate_of(*kind));
                // The pattern of Wᵀ is hollow where W is.
                let hollow = path.projection.is_some_and(|k| b.net.projections[k].is_hollow());
                plan.push(weight_rate::Args { delta, r, w_dot, pre, post, factor, clip: None, hollow, rate });
            }
        }
        if self.biases_learn() {
            let tied = self.micro.is_tied();
            plan.push(bias_rate::Args {
                delta: if tied { lay.apical } else { l.mismatch },
                factor: l.bias_factors,
                b_dot: l.bias_rates,
                cols: Cols { start: 0, len: self.cells() },
                rate: Rate::InterneuronBiases,
                clip: None,
            });
        }
    }

    fn biases_learn(&self) -> bool {
        self.b.features.learning && self.micro.pi == Pathway::Separate && self.cells() > 0
    }

    /// Item 7: weights move; there are no clips.
    pub(in super::super) fn weight_updates(&self, plan: &mut Plan) {
        let dt_ms = self.b.set.dt_ms;
        for (_, kind) in Kind::NAMES.iter().filter(|(_, kind)| is_own(self.micro, *kind)) {
            for path in self.l.of(*kind).iter().filter(|p| p.rate.is_some()) {
                let len = if super::lies_transposed(*kind) { path.to.len } else { path.from.len };
                let cols = Cols { start: 0, len };
                plan.push(update::Args { p: path.w, p_dot: path.rate, cols, dt_ms, clip: None });
            }
        }
    }

    /// Item 7: b^I moves.
    pub(in super::super) fn bias_updates(&self, plan: &mut Plan) {
        let dt_ms = self.b.set.dt_ms;
        if self.biases_learn() {
            let cols = Cols { start: 0, len: self.cells() };
            let (p, p_dot) = (self.l.biases, Some(self.l.bias_rates));
            plan.push(update::Args { p, p_dot, cols, dt_ms, clip: None });
        }
    }
}
