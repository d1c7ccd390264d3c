//! Section `[backprop]`: the control, backprop of the same network (`rule = "backprop"`).

use super::error::ConfigError;
use super::item::{Bound, Item};
use super::section::Section;
use super::types::{BackpropConfig, TrainingConfig};

const KEYS: [&str; 3] = ["learning-rate", "bias-learning-rate", "rate-decay-per-epoch"];

const RATE: &str = "a learning rate of an update, 0 or greater";

/// The rates of the least-action rule, of which those of backprop are by default the equivalent.
pub(super) struct LeastAction<'a> {
    /// η, per ms.
    pub rate_w: f64,
    /// η_b, per ms.
    pub rate_b: f64,
    /// Time step, ms.
    pub dt_ms: f64,
    /// β of each output neuron.
    pub beta: &'a [f64],
    /// Ramp and gates, which tell how long a presentation teaches.
    pub training: &'a TrainingConfig,
}

impl LeastAction<'_> {
    /// What a rate per ms amounts to in a presentation. A settled presentation teaches `dt·η·δ r̄ᵀ` in every step in which nudging and
    /// plasticity are on, with δ = β times the error of backprop as β → 0: so `steps·dt·β` updates of backprop. Of different β the mean.
    fn equivalent(&self, rate: f64) -> f64 {
        let t = self.training;
        let on = t.gates.learn_from.max(t.gates.nudge_from);
        let steps = t.ramp.values(t.steps_per_sample).iter().filter(|&&s| s >= on).count();
        let beta = self.beta.iter().sum::<f64>() / self.beta.len().max(1) as f64;
        single(rate * steps as f64 * self.dt_ms * beta)
    }
}

/// The nearest rate that a file can hold: rates fit single precision.
fn single(rate: f64) -> f64 {
    if rate < f64::from(f32::MIN_POSITIVE) { 0.0 } else { rate.min(f64::from(f32::MAX)) }
}

/// Reads the section, all of which has defaults. `None`, and only a check of the keys, where nothing is trained.
pub(super) fn read(
    item: Option<Item<'_>>,
    least_action: Option<&LeastAction<'_>>,
) -> Result<Option<BackpropConfig>, ConfigError> {
    let section = item.map(|item| Section::open(item, &KEYS)).transpose()?;
    let number = |key: &str, bound: Bound, expected: &str| {
        section.as_ref().and_then(|s| s.get(key)).map(|item| item.number(bound, expected)).transpose()
    };
    let rate = number("learning-rate", Bound::NonNegative, RATE)?;
    let bias_rate = number("bias-learning-rate", Bound::NonNegative, RATE)?;
    let decay =
        number("rate-decay-per-epoch", Bound::FractionOrOne, "a factor greater than 0 and at most 1")?;
    Ok(least_action.map(|least| {
        // A rate that is given is that of the biases too, in the proportion of [plasticity].
        let share = if least.rate_w > 0.0 { least.rate_b / least.rate_w } else { 1.0 };
        let converted = least.equivalent(least.rate_b);
        BackpropConfig {
            learning_rate: rate.unwrap_or_else(|| least.equivalent(least.rate_w)),
            bias_learning_rate: bias_rate.unwrap_or_else(|| rate.map_or(converted, |r| single(r * share))),
            rate_decay_per_epoch: decay.unwrap_or(least.training.rate_decay_per_epoch),
        }
    }))
}
