//! Section `[network]`: populations, projections, activation, initial values.

use super::activation;
use super::error::ConfigError;
use super::init;
use super::item::Item;
use super::section::Section;
use super::text::Place;
use super::topology::{self, Graph};
use crate::network::{Architecture, Init, InputMode, Network, NetworkError, Projection};

const KEYS: [&str; 10] = [
    "architecture",
    "sizes",
    "only-discriminative",
    "self-connections",
    "population",
    "projection",
    "activation",
    "input",
    "weights",
    "biases",
];

/// Weights of a projection: an index into `[post, pre]` must fit 31 bits.
const MOST_WEIGHTS: usize = i32::MAX as usize;

/// What a `[[network.projection]]` says about its plasticity, with where it says so.
pub(super) struct Own<'a> {
    /// Learning-rate factor.
    pub factor: Option<Item<'a>>,
    /// Bound on |W|.
    pub clip: Option<Item<'a>>,
}

/// What the section says.
pub(super) struct Parts<'a> {
    /// Factors 1 and no clips yet.
    pub network: Network,
    /// One a projection.
    pub weight_init: Vec<Init>,
    /// One a population.
    pub bias_init: Vec<Init>,
    /// Where the size of each population stands.
    pub size_places: Vec<Place>,
    /// One a projection.
    pub own: Vec<Own<'a>>,
    /// Of each projection, the pair of neighbouring populations whose factor it takes: in named architectures but `fully-recurrent`.
    pub pairs: Option<Vec<usize>>,
    /// The section.
    pub item: Item<'a>,
}

/// Reads the section.
pub(super) fn read(item: Item<'_>) -> Result<Parts<'_>, ConfigError> {
    let section = Section::open(item.clone(), &KEYS)?;
    let architecture = section.get("architecture").map(|i| i.choice(&Architecture::NAMES)).transpose()?;
    let mut graph = match architecture.unwrap_or(Architecture::LayeredFeedforward) {
        Architecture::Custom => topology::custom(&section)?,
        named => topology::named(&section, named)?,
    };
    let activation = activation::read(&section.need("activation", &activation::expected())?)?;
    let input = section.get("input").map(|i| i.choice(&InputMode::NAMES)).transpose()?;
    let network = Network {
        populations: std::mem::take(&mut graph.populations),
        projections: std::mem::take(&mut graph.projections),
        activation,
        input: input.unwrap_or(InputMode::Clamped),
        microcircuit: None,
    };
    check(&network, &graph, &section)?;
    Ok(Parts {
        weight_init: weights(&section, &network, &graph.own_weights)?,
        bias_init: biases(&section, &network)?,
        network,
        size_places: graph.size_places,
        own: graph.own,
        pairs: graph.pairs,
        item,
    })
}

/// Maps what the network finds wrong with itself to the line that says so.
fn check(network: &Network, graph: &Graph<'_>, section: &Section<'_>) -> Result<(), ConfigError> {
    let texts = section.item().texts;
    let named = |name: &str| network.populations.iter().position(|p| p.name == name);
    let sizes = if section.get("sizes").is_some() { "sizes" } else { "population" };
    if let Err(error) = network.check() {
        let (place, expected) = match &error {
            NetworkError::TooFew(_) => (section.place(sizes), "at least two populations"),
            NetworkError::Empty(name) => {
                let place = named(name).and_then(|i| graph.size_places.get(i).copied());
                (place.unwrap_or(section.place(sizes)), "a size of at least 1")
            }
            NetworkError::Twice { pre, post } => {
                let ends = (named(pre), named(post));
                let of = |p: &Projection| (Some(p.pre), Some(p.post)) == ends;
                let place = network
                    .projections
                    .iter()
                    .rposition(of)
                    .and_then(|k| graph.projection_places.get(k).copied());
                (place.unwrap_or(section.place("projection")), "another population")
            }
            NetworkError::NoSuchPopulation(..) => (section.place("projection"), "names of populations"),
            NetworkError::Microcircuit(_) => (section.place(sizes), "a microcircuit that fits the network"),
        };
        return Err(texts.error(Some(place), error.to_string(), expected));
    }
    for (k, p) in network.projections.iter().enumerate() {
        let count = network.populations[p.pre].size * network.populations[p.post].size;
        if count > MOST_WEIGHTS {
            let message = format!("the projection {} has {count} weights", network.projection_name(k));
            let place = graph.size_places.get(p.post).copied();
            return Err(texts.error(place, message, format!("at most {MOST_WEIGHTS} weights")));
        }
    }
    Ok(())
}

/// Names of all projections.
pub(super) fn projection_names(network: &Network) -> Vec<String> {
    (0..network.projections.len()).map(|k| network.projection_name(k)).collect()
}

/// Names of all populations.
pub(super) fn population_names(network: &Network) -> Vec<String> {
    network.populations.iter().map(|p| p.name.clone()).collect()
}

fn weights(
    section: &Section<'_>,
    network: &Network,
    own: &[Option<Item<'_>>],
) -> Result<Vec<Init>, ConfigError> {
    let own = own.iter().map(|i| i.as_ref().map(init::read).transpose()).collect::<Result<Vec<_>, _>>()?;
    if section.get("weights").is_none()
        && let Some(all) = own.iter().copied().collect::<Option<Vec<Init>>>()
    {
        return Ok(all);
    }
    let item = section.need("weights", &format!("weights = {}", init::EXPECTED))?;
    let names = projection_names(network);
    let common = item.spread("a projection", &names, true, "such tables", init::read)?;
    if item.elements().is_some() && own.iter().any(Option::is_some) {
        let message = "weights are given both one by one and with their projections";
        return Err(item.wrong(message, "one table, or none, beside weights of [[network.projection]]"));
    }
    Ok(own.into_iter().zip(common).map(|(own, common)| own.unwrap_or(common)).collect())
}

fn biases(section: &Section<'_>, network: &Network) -> Result<Vec<Init>, ConfigError> {
    let names = population_names(network);
    match section.get("biases") {
        Some(item) => item.spread("a population", &names, true, "such tables", init::read),
        None => Ok(vec![Init { kind: crate::network::InitKind::Zeros, clip: None }; names.len()]),
    }
}
