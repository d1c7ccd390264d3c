//! One presentation of static samples: the ramp from the samples before, and the controls of its time steps.

use crate::data::series::Grid;
use crate::engine::Work;
use crate::network::Microcircuit;
use crate::plan::{PlanId, StepControl};

/// The logistic ramp of the presentation protocol (model, section 7): `s_k = 1/(1 + e^{−x_k/4})`, `x_k` from `from` to `to` in
/// `steps` points, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// First point; the reference uses −20.
    pub from: f64,
    /// Last point; the reference uses 90.
    pub to: f64,
}

impl Default for Ramp {
    fn default() -> Self {
        Self { from: -20.0, to: 90.0 }
    }
}

impl Ramp {
    /// `s_k` for all steps of a presentation. A single step takes the sample at once.
    #[must_use]
    pub fn values(&self, steps: usize) -> Vec<f64> {
        let logistic = |x: f64| 1.0 / (1.0 + (-x / 4.0).exp());
        match steps {
            0 => Vec::new(),
            1 => vec![logistic(self.to)],
            _ => {
                let stride = (self.to - self.from) / (steps - 1) as f64;
                (0..steps).map(|k| logistic(self.from + stride * k as f64)).collect()
            }
        }
    }
}

/// How a network learns from a mini-batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The dynamics of a presentation, with plasticity `η δ r̄ᵀ` in time.
    LeastAction,
    /// The control: one update by backprop, without dynamics.
    Backprop,
}

impl Rule {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, Rule); 2] =
        [("least-action", Rule::LeastAction), ("backprop", Rule::Backprop)];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// Row of the `beta` buffer while nothing is nudged.
pub const FREE: u32 = 0;
/// Row of the `beta` buffer while the outputs are nudged.
pub const NUDGED: u32 = 1;

/// Values of the ramp from which on something happens; 0 = always.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gates {
    /// The outputs are nudged (β in time).
    pub nudge_from: f64,
    /// Weights and biases learn.
    pub learn_from: f64,
}

/// Controls of all time steps of a presentation. `rate_w` and `rate_b` are per ms, before division by the number of active
/// trajectories.
#[must_use]
pub fn controls(ramp: &[f64], gates: Gates, rate_w: f64, rate_b: f64, active: usize) -> Vec<StepControl> {
    let share = 1.0 / active.max(1) as f64;
    let all = ramp;
    ramp.iter()
        .enumerate()
        .map(|(k, &ramp)| StepControl {
            ramp,
            ramp_prev: if k == 0 { 1.0 } else { all[k - 1] },
            row: 0,
            beta_row: if ramp >= gates.nudge_from { NUDGED } else { FREE },
            index: k as u32,
            rate_w: if ramp >= gates.learn_from { rate_w * share } else { 0.0 },
            rate_b: if ramp >= gates.learn_from { rate_b * share } else { 0.0 },
            ..StepControl::default()
        })
        .collect()
}

/// Learning rates of a microcircuit for the controls of a presentation, times `share`: 1 over the number of active trajectories, and what else
/// scales them. They learn where W does.
pub fn microcircuit(controls: &mut [StepControl], gates: Gates, micro: &Microcircuit, share: f64) {
    for control in controls.iter_mut().filter(|c| c.ramp >= gates.learn_from) {
        control.rate_ip = micro.rate_ip * share;
        control.rate_pi = micro.rate_pi * share;
        control.rate_feedback = micro.rate_feedback * share;
        control.rate_bi = micro.rate_bi * share;
    }
}

/// The work of a presentation: take the samples, all time steps, observe. With `resident` weights the first step runs plainly.
#[must_use]
pub fn work(mut controls: Vec<StepControl>, resident: bool) -> Vec<Work> {
    let beta_row = controls.last().map_or(NUDGED, |c| c.beta_row);
    let observe =
        Work { plan: PlanId::Observe, controls: vec![StepControl { beta_row, ..StepControl::default() }] };
    let present = Work::once(PlanId::Present);
    let Some(&last) = controls.last().filter(|_| resident && controls.len() > 1) else {
        return vec![present, Work { plan: PlanId::Step, controls }, observe];
    };
    let rest = controls.split_off(1);
    vec![
        present,
        Work { plan: PlanId::Step, controls },
        Work::once(PlanId::ResidentStart),
        Work { plan: PlanId::ResidentStep, controls: rest },
        Work { plan: PlanId::ResidentEnd, controls: vec![last] },
        observe,
    ]
}

/// Controls of the time steps `start + 1..=end` of windows of recordings, nudged and learning throughout. Rates as in [`controls`].
#[must_use]
pub fn slices(
    grid: Grid,
    steps: std::ops::Range<usize>,
    rate_w: f64,
    rate_b: f64,
    active: usize,
) -> Vec<StepControl> {
    let share = 1.0 / active.max(1) as f64;
    let (rate_w, rate_b) = (rate_w * share, rate_b * share);
    grid.controls(steps.start, steps.end)
        .map(|control| StepControl { beta_row: NUDGED, rate_w, rate_b, ..control })
        .collect()
}

/// The work of a piece of windows of recordings; the first one begins at their first row.
#[must_use]
pub fn piece(controls: Vec<StepControl>, first: bool) -> Vec<Work> {
    let steps = Work { plan: PlanId::Step, controls };
    if first { vec![Work::once(PlanId::Present), steps] } else { vec![steps] }
}

/// The work of one update by [`Rule::Backprop`]: take the samples, update, with the metrics from before. Rates are those of an update, before
/// division by the number of active trajectories.
#[must_use]
pub fn backprop(rate_w: f64, rate_b: f64, active: usize) -> Vec<Work> {
    let share = 1.0 / active.max(1) as f64;
    let control = StepControl {
        beta_row: FREE,
        rate_w: rate_w * share,
        rate_b: rate_b * share,
        ..StepControl::default()
    };
    vec![Work::once(PlanId::Present), Work { plan: PlanId::Backprop, controls: vec![control] }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_ramp_has_its_ends() {
        let s = Ramp::default().values(100);
        assert_eq!(s.len(), 100);
        // 1/(1 + e^5) and 1/(1 + e^{−22.5}).
        assert!((s[0] - 0.006_692_850_924_284_856).abs() < 1e-15);
        assert!((1.0 - s[99] - 1.691_897_920_3e-10).abs() < 1e-15);
        assert!(s.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn the_mean_is_over_active_trajectories() {
        let gates = Gates { nudge_from: 0.9, learn_from: 0.4 };
        let c = controls(&[0.5, 1.0], gates, 0.3, 0.6, 3);
        assert_eq!(c.len(), 2);
        assert!((c[1].rate_w - 0.1).abs() < 1e-15 && (c[1].rate_b - 0.2).abs() < 1e-15);
        assert_eq!((c[0].index, c[1].index), (0, 1));
        assert_eq!((c[0].beta_row, c[1].beta_row), (FREE, NUDGED));
        assert!((c[0].rate_w - 0.1).abs() < 1e-15);
        let late = Gates { learn_from: 0.6, ..gates };
        let c = controls(&[0.5, 1.0], late, 0.3, 0.6, 3);
        assert_eq!((c[0].rate_w, c[0].rate_b), (0.0, 0.0));
        assert!((c[1].rate_w - 0.1).abs() < 1e-15);
    }
}
