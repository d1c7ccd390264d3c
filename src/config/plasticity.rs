//! Section `[plasticity]`: learning rates, their factors, clips.

use super::error::ConfigError;
use super::init::clip;
use super::item::{Bound, Item};
use super::network::{Own, population_names, projection_names};
use super::schedule;
use super::section::Section;
use crate::dynamics::Bias;
use crate::network::{Network, Projection};
use crate::schedule::Schedule;

const KEYS: [&str; 9] = [
    "rate-per-ms",
    "bias-rate-per-ms",
    "schedule",
    "bias",
    "factors",
    "bias-factors",
    "derivative-clip",
    "weight-clip",
    "bias-clip",
];

const RATE: &str = "a learning rate per ms, 0 or greater";
const FACTOR: &str = "a factor, 0 or greater";

/// What the section says, apart from what it says about the network.
pub(super) struct Plasticity {
    /// η, per ms.
    pub rate_w: f64,
    /// η_b, per ms.
    pub rate_b: f64,
    /// How both change with simulated time.
    pub schedule: Schedule,
    /// Bound on |Ẇ|, per ms.
    pub derivative_clip: Option<f64>,
    /// What a bias is.
    pub bias: Bias,
}

/// Reads the section and gives the network its factors and clips.
pub(super) fn read(
    item: Item<'_>,
    network: &mut Network,
    own: &[Own<'_>],
) -> Result<Plasticity, ConfigError> {
    let section = Section::open(item, &KEYS)?;
    let rate = |item: Item<'_>| item.number(Bound::NonNegative, RATE);
    let rate_w = section.need("rate-per-ms", &format!("rate-per-ms = {RATE}")).and_then(rate)?;
    let rate_b = section.get("bias-rate-per-ms").map(rate).transpose()?.unwrap_or(rate_w);
    let schedule =
        section.get("schedule").map(|i| schedule::read(i, rate_w)).transpose()?.unwrap_or_default();
    let derivative_clip = section.get("derivative-clip").map(|i| clip(&i)).transpose()?.flatten();
    factors(&section, network, own)?;
    weight_clips(&section, network, own)?;
    let bias = section.get("bias").map_or(Ok(Bias::Separate), |i| i.choice(&Bias::NAMES))?;
    match bias {
        Bias::Separate => separate_biases(&section, network)?,
        Bias::UnitRate => unit_rate_biases(&section, network)?,
    }
    Ok(Plasticity { rate_w, rate_b, schedule, derivative_clip, bias })
}

fn factor(item: &Item<'_>) -> Result<f64, ConfigError> {
    item.number(Bound::NonNegative, FACTOR)
}

/// A projection's own value stands beside one value for all, but not beside a list.
fn not_twice(list: &Item<'_>, own: Option<&Item<'_>>) -> Result<(), ConfigError> {
    match own {
        Some(own) if list.elements().is_some() => {
            let message = format!("`{}` is given in the list `{}` as well", own.path, list.path);
            Err(own.wrong(message, "one of the two"))
        }
        _ => Ok(()),
    }
}

fn factors(section: &Section<'_>, network: &mut Network, own: &[Own<'_>]) -> Result<(), ConfigError> {
    if let Some(item) = section.get("factors") {
        not_twice(&item, own.iter().find_map(|o| o.factor.as_ref()))?;
        let factors = item.spread("a projection", &projection_names(network), false, "factors", factor)?;
        for (projection, factor) in network.projections.iter_mut().zip(factors) {
            projection.factor = factor;
        }
    }
    for (projection, own) in network.projections.iter_mut().zip(own) {
        if let Some(item) = &own.factor {
            projection.factor = factor(item)?;
        }
    }
    Ok(())
}

fn weight_clips(section: &Section<'_>, network: &mut Network, own: &[Own<'_>]) -> Result<(), ConfigError> {
    if let Some(item) = section.get("weight-clip") {
        not_twice(&item, own.iter().find_map(|o| o.clip.as_ref()))?;
        let clips = item.spread("a projection", &projection_names(network), true, "bounds", clip)?;
        for (projection, clip) in network.projections.iter_mut().zip(clips) {
            projection.clip = clip;
        }
    }
    for (projection, own) in network.projections.iter_mut().zip(own) {
        if let Some(item) = &own.clip {
            projection.clip = clip(item)?;
        }
    }
    Ok(())
}

fn separate_biases(section: &Section<'_>, network: &mut Network) -> Result<(), ConfigError> {
    let factors = match section.get("bias-factors") {
        Some(item) => item.spread("a population", &population_names(network), false, "factors", factor)?,
        None => forward_projections(network).map(|p| p.map_or(0.0, |p| p.factor)).collect(),
    };
    for (population, factor) in network.populations.iter_mut().zip(factors) {
        population.bias_factor = factor;
    }
    if let Some(item) = section.get("bias-clip") {
        let clips = item.spread("a population", &population_names(network), true, "bounds", clip)?;
        for (population, clip) in network.populations.iter_mut().zip(clips) {
            population.bias_clip = clip;
        }
    }
    Ok(())
}

/// Biases as weights from a neuron of rate 1: what holds for the projection into a population holds for them.
fn unit_rate_biases(section: &Section<'_>, network: &mut Network) -> Result<(), ConfigError> {
    for key in ["bias-rate-per-ms", "bias-factors", "bias-clip"] {
        let because =
            "belongs to bias = \"separate\": from a neuron of rate 1 a bias learns like the weights";
        section.refuse(key, because, "rate-per-ms, factors and weight-clip alone, or bias = \"separate\"")?;
    }
    let rules: Vec<_> =
        forward_projections(network).map(|p| p.map_or((0.0, None), |p| (p.factor, p.clip))).collect();
    for (population, (factor, clip)) in network.populations.iter_mut().zip(rules) {
        (population.bias_factor, population.bias_clip) = (factor, clip);
    }
    Ok(())
}

/// For each population the forward projection into it, of several the one from the closest population, whose factor that of its biases is
/// by default; none where nothing projects into it (model, section 3).
fn forward_projections(network: &Network) -> impl Iterator<Item = Option<&Projection>> {
    (0..network.populations.len()).map(|p| {
        let into = network.projections.iter().filter(move |k| k.post == p);
        into.min_by_key(|k| k.post.abs_diff(k.pre))
    })
}
