//! The learning rates of a presentation: where it stands in simulated time, and what is submitted for it.

use super::Trainer;
use crate::engine::Work;
use crate::train::feed::Feed;
use crate::train::{Rule, presentation};

impl Trainer<'_> {
    /// Mini-batches of an epoch.
    pub(super) fn mini_batches(&self) -> usize {
        self.feed.mini_batches(&self.protocol)
    }

    /// Time steps before the one that follows `presented` mini-batches of an epoch (from 1), since the start of the run.
    #[must_use]
    pub fn steps_before(&self, epoch: usize, presented: usize) -> u64 {
        let of = |presented: usize| self.feed.steps_before(presented, &self.protocol);
        (epoch as u64 - 1) * of(self.mini_batches()) + of(presented)
    }

    /// Time steps of a mini-batch by its number in an epoch, from 0.
    pub(super) fn steps_of(&self, index: usize) -> usize {
        (self.steps_before(1, index + 1) - self.steps_before(1, index)) as usize
    }

    /// Simulated time of so many steps, ms.
    pub(super) fn time_ms(&self, steps: u64) -> f64 {
        steps as f64 * self.protocol.step_ms
    }

    /// Factor of the schedule in the step after so many others.
    fn factor(&self, steps: u64) -> f64 {
        let all = self.steps_before(self.protocol.epochs + 1, 0);
        self.protocol.schedule.factor(self.time_ms(steps), self.time_ms(all))
    }

    /// What the rates are multiplied by in an epoch (from 1), whatever the schedule.
    fn decay(&self, epoch: usize) -> f64 {
        self.protocol.rate_decay.powi(i32::try_from(epoch - 1).unwrap_or(i32::MAX))
    }

    /// η in the last step of the first `presented` mini-batches of an epoch (from 1), at least one: per ms, or of an update by backprop.
    pub(super) fn rate_before(&self, epoch: usize, presented: usize) -> f64 {
        let last = self.steps_before(epoch, presented).saturating_sub(1);
        self.protocol.rate_w * self.decay(epoch) * self.factor(last)
    }

    /// The presentation of `count` samples, or of a piece of `count` windows, after `presented` mini-batches of an epoch (from 1).
    pub(super) fn work(&self, count: usize, (epoch, presented): (usize, usize)) -> Vec<Work> {
        let p = &self.protocol;
        let (decay, first) = (self.decay(epoch), self.steps_before(epoch, presented));
        let (rate_w, rate_b) = (p.rate_w * decay, p.rate_b * decay);
        match p.rule {
            Rule::Backprop => {
                let factor = self.factor(first);
                presentation::backprop(rate_w * factor, rate_b * factor, count)
            }
            Rule::LeastAction => {
                let mut controls = match &self.feed {
                    Feed::Samples(_) | Feed::Values(_) => {
                        presentation::controls(&self.ramp, p.gates, rate_w, rate_b, count)
                    }
                    Feed::Windows { windows, .. } => presentation::slices(
                        windows.grid(),
                        windows.steps_of(presented),
                        rate_w,
                        rate_b,
                        count,
                    ),
                };
                if let Some(micro) = &self.model.network.microcircuit {
                    presentation::microcircuit(&mut controls, p.gates, micro, decay / count.max(1) as f64);
                }
                for (control, step) in controls.iter_mut().zip(first..) {
                    control.scale_rates(self.factor(step));
                }
                match &self.feed {
                    Feed::Samples(_) | Feed::Values(_) => {
                        presentation::work(controls, self.model.layout.resident)
                    }
                    Feed::Windows { windows, .. } => {
                        presentation::piece(controls, windows.steps_of(presented).start == 0)
                    }
                }
            }
        }
    }
}
