//! Section `[network]`: populations, projections, activation, initial values.

use super::activation;
use super::error::ConfigError;
use super::init;
use super::item::{Item, shown};
use super::section::Section;
use super::suggest::closest;
use super::text::Place;
use crate::network::{Architecture, Init, InputMode, Network, NetworkError, Population, Projection, expand};

const KEYS: [&str; 8] =
    ["architecture", "sizes", "population", "projection", "activation", "input", "weights", "biases"];

/// Neurons of a population: a column index stays exact in single precision.
const MOST_NEURONS: usize = 1 << 24;

/// Weights of a projection: an index into `[post, pre]` must fit 31 bits.
const MOST_WEIGHTS: usize = i32::MAX as usize;

/// Populations; the neurons of all of them together fit 31 bits.
const MOST_POPULATIONS: usize = 127;

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
    /// The section.
    pub item: Item<'a>,
}

/// Populations and projections before they are named and checked.
#[derive(Default)]
struct Graph<'a> {
    populations: Vec<Population>,
    projections: Vec<Projection>,
    size_places: Vec<Place>,
    projection_places: Vec<Place>,
    own: Vec<Own<'a>>,
    own_weights: Vec<Option<Item<'a>>>,
}

/// Reads the section.
pub(super) fn read(item: Item<'_>) -> Result<Parts<'_>, ConfigError> {
    let section = Section::open(item.clone(), &KEYS)?;
    let architecture = section.get("architecture").map(|i| i.choice(&Architecture::NAMES)).transpose()?;
    let mut graph = match architecture.unwrap_or(Architecture::LayeredFeedforward) {
        Architecture::LayeredFeedforward => layered(&section)?,
        Architecture::Custom => custom(&section)?,
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
        item,
    })
}

fn layered<'a>(section: &Section<'a>) -> Result<Graph<'a>, ConfigError> {
    const EXPECTED: &str = "a list of layer sizes from input to output, like [784, 100, 10]";
    for key in ["population", "projection"] {
        section.refuse(key, "belongs to architecture = \"custom\"", EXPECTED)?;
    }
    let item = section.need("sizes", &format!("sizes = {EXPECTED}"))?;
    let sizes = item.elements().ok_or_else(|| item.mistyped(EXPECTED))?;
    few(&item, sizes.len())?;
    let mut graph = Graph { projections: expand(sizes.len(), &[]), ..Graph::default() };
    for (i, size) in sizes.iter().enumerate() {
        graph.populations.push(population(layer_name(i, sizes.len()), size.size(0, MOST_NEURONS)?));
        graph.size_places.push(size.node.place);
    }
    for _ in &graph.projections {
        graph.projection_places.push(item.node.place);
        graph.own.push(Own { factor: None, clip: None });
        graph.own_weights.push(None);
    }
    Ok(graph)
}

fn custom<'a>(section: &Section<'a>) -> Result<Graph<'a>, ConfigError> {
    section.refuse("sizes", "belongs to architecture = \"layered-feedforward\"", "[[network.population]]")?;
    let mut graph = Graph::default();
    let (all, elements) = tables(section, "population", "tables with name and size")?;
    few(&all, elements.len())?;
    for item in elements {
        let section = Section::open(item, &["name", "size"])?;
        let name = section.need("name", "name = what errors and metrics call it")?;
        let text = population_name(&name)?;
        if graph.populations.iter().any(|p| p.name == text) {
            return Err(name.wrong(format!("there are two populations '{text}'"), "a name of its own"));
        }
        let size = section.need("size", "size = number of neurons")?;
        graph.populations.push(population(text, size.size(0, MOST_NEURONS)?));
        graph.size_places.push(size.node.place);
    }
    let (_, elements) = tables(section, "projection", "tables with pre and post")?;
    for item in elements {
        let section = Section::open(item, &["pre", "post", "factor", "clip", "weights"])?;
        let pre = end(&section, "pre", &graph.populations)?;
        let post = end(&section, "post", &graph.populations)?;
        graph.projections.push(Projection { pre, post, factor: 1.0, clip: None });
        graph.projection_places.push(section.place("post"));
        graph.own.push(Own { factor: section.get("factor"), clip: section.get("clip") });
        graph.own_weights.push(section.get("weights"));
    }
    Ok(graph)
}

/// The list of tables `[[network.KEY]]`.
fn tables<'a>(
    section: &Section<'a>,
    key: &str,
    what: &str,
) -> Result<(Item<'a>, Vec<Item<'a>>), ConfigError> {
    let item = section.need(key, &format!("[[network.{key}]] {what}"))?;
    let elements = item.elements().ok_or_else(|| item.mistyped(format!("a list of {what}")))?;
    Ok((item, elements))
}

/// The number of populations is bounded, so that sums over them are.
fn few(item: &Item<'_>, count: usize) -> Result<(), ConfigError> {
    if count <= MOST_POPULATIONS {
        return Ok(());
    }
    let message = format!("`{}` has {count} populations", item.path);
    Err(item.wrong(message, format!("at most {MOST_POPULATIONS}")))
}

/// The population that one end of a projection names.
fn end(section: &Section<'_>, key: &str, populations: &[Population]) -> Result<usize, ConfigError> {
    named_population(&section.need(key, &format!("{key} = name of a population"))?, populations)
}

/// Index of the population that a value names.
pub(super) fn named_population(item: &Item<'_>, populations: &[Population]) -> Result<usize, ConfigError> {
    let name = item.text("the name of a population")?;
    if let Some(index) = populations.iter().position(|p| p.name == name) {
        return Ok(index);
    }
    let names: Vec<&str> = populations.iter().map(|p| p.name.as_str()).collect();
    let message = format!("`{}`: there is no population '{}'", item.path, shown(name));
    let expected = Some(format!("one of: {}", names.join(", ")));
    Err(item.texts.error_with(Some(item.node.place), message, expected, closest(name, names)))
}

fn population(name: String, size: usize) -> Population {
    Population { name, size, bias_factor: 0.0, bias_clip: None }
}

fn population_name(item: &Item<'_>) -> Result<String, ConfigError> {
    const EXPECTED: &str = "a name of letters, digits, '-' and '_'";
    let name = item.text(EXPECTED)?;
    if name.is_empty() || name.chars().any(|c| !(c.is_alphanumeric() || c == '-' || c == '_')) {
        return Err(item.refused(format!("\"{}\"", shown(name)), EXPECTED));
    }
    Ok(name.to_owned())
}

/// Name of layer `i` of `count`: input, hidden (hidden1, hidden2, …), output.
pub(super) fn layer_name(i: usize, count: usize) -> String {
    match i {
        0 => "input".to_owned(),
        _ if i + 1 == count => "output".to_owned(),
        _ if count == 3 => "hidden".to_owned(),
        _ => format!("hidden{i}"),
    }
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
