//! Section `[plasticity]`: learning rates, their factors, clips.

use super::error::ConfigError;
use super::init::clip;
use super::item::{Bound, Item, list_names};
use super::network::{Own, population_names, projection_names};
use super::schedule;
use super::section::Section;
use crate::dynamics::Bias;
use crate::network::Network;
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
    pairs: Option<&[usize]>,
) -> Result<Plasticity, ConfigError> {
    let section = Section::open(item, &KEYS)?;
    let rate = |item: Item<'_>| item.number(Bound::NonNegative, RATE);
    let rate_w = section.need("rate-per-ms", &format!("rate-per-ms = {RATE}")).and_then(rate)?;
    let rate_b = section.get("bias-rate-per-ms").map(rate).transpose()?.unwrap_or(rate_w);
    let schedule =
        section.get("schedule").map(|i| schedule::read(i, rate_w)).transpose()?.unwrap_or_default();
    let derivative_clip = section.get("derivative-clip").map(|i| clip(&i)).transpose()?.flatten();
    factors(&section, network, own, pairs)?;
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

fn factors(
    section: &Section<'_>,
    network: &mut Network,
    own: &[Own<'_>],
    pairs: Option<&[usize]>,
) -> Result<(), ConfigError> {
    if let Some(item) = section.get("factors") {
        not_twice(&item, own.iter().find_map(|o| o.factor.as_ref()))?;
        let factors = match (pairs, item.elements()) {
            // A projection back or within takes the factor of the pair of neighbours, the last population that of the pair below.
            (Some(pairs), Some(list)) if list.len() + 1 == network.populations.len() => {
                let list = list.iter().map(factor).collect::<Result<Vec<f64>, _>>()?;
                pairs.iter().map(|&pair| list[pair]).collect()
            }
            (Some(_), Some(list)) if list.len() != network.projections.len() => {
                return Err(neither_length(&item, network, list.len()));
            }
            _ => item.spread("a projection", &projection_names(network), false, "factors", factor)?,
        };
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

/// An error about a list of factors that are neither one a projection nor one a pair of neighbours.
fn neither_length(item: &Item<'_>, network: &Network, got: usize) -> ConfigError {
    let (pairs, all) = (network.populations.len() - 1, network.projections.len());
    let message = format!("`{}` has the wrong length", item.path);
    let mut expected = format!("{all}, one a projection: {}", list_names(&projection_names(network)));
    if pairs != all {
        expected.push_str(&format!("; or {pairs}, one a pair of neighbouring populations"));
    }
    item.wrong(message, format!("{expected}, got {got}"))
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
        None => default_rules(network).into_iter().map(|(factor, _)| factor).collect(),
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
    for (p, (factor, clip)) in default_rules(network).into_iter().enumerate() {
        let population = &mut network.populations[p];
        (population.bias_factor, population.bias_clip) = (factor, clip);
    }
    Ok(())
}

/// Factor and clip of the forward projection into each population, of several those of the one from the closest population, 1 and none
/// where there is none; 0 for an input that nothing projects into (model, section 3).
fn default_rules(network: &Network) -> Vec<(f64, Option<f64>)> {
    let of = |p: usize| {
        let mut into = network.projections.iter().filter(|k| k.post == p).peekable();
        if p == 0 && into.peek().is_none() {
            return (0.0, None);
        }
        into.filter(|k| k.pre < p).max_by_key(|k| k.pre).map_or((1.0, None), |k| (k.factor, k.clip))
    };
    (0..network.populations.len()).map(of).collect()
}
