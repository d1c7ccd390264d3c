//! Populations and projections of `[network]`: from the name of an architecture, or one by one.

use super::error::ConfigError;
use super::item::{Item, shown};
use super::network::Own;
use super::section::Section;
use super::suggest::closest;
use super::text::Place;
use crate::network::{Architecture, Population, Projection};

/// Neurons of a population: a column index stays exact in single precision.
const MOST_NEURONS: usize = 1 << 24;

/// Populations; the neurons of all of them together fit 31 bits.
const MOST_POPULATIONS: usize = 127;

/// Populations and projections before they are named and checked.
#[derive(Default)]
pub(super) struct Graph<'a> {
    pub populations: Vec<Population>,
    pub projections: Vec<Projection>,
    pub size_places: Vec<Place>,
    pub projection_places: Vec<Place>,
    pub own: Vec<Own<'a>>,
    pub own_weights: Vec<Option<Item<'a>>>,
    pub pairs: Option<Vec<usize>>,
}

/// The populations of `sizes` and the projections that the architecture makes of them.
pub(super) fn named<'a>(section: &Section<'a>, architecture: Architecture) -> Result<Graph<'a>, ConfigError> {
    const EXPECTED: &str = "a list of layer sizes from input to output, like [784, 100, 10]";
    for key in ["population", "projection"] {
        section.refuse(key, "belongs to architecture = \"custom\"", EXPECTED)?;
    }
    let item = section.need("sizes", &format!("sizes = {EXPECTED}"))?;
    let sizes = item.elements().ok_or_else(|| item.mistyped(EXPECTED))?;
    few(&item, sizes.len())?;
    let yes = |key: &str| section.get(key).map_or(Ok(false), |item| item.boolean());
    let mut projections = architecture.projections(sizes.len(), yes("only-discriminative")?);
    let themselves = yes("self-connections")?;
    for p in projections.iter_mut().filter(|p| p.pre == p.post) {
        p.self_connections = themselves;
    }
    if let Some(item) = section.get("self-connections").filter(|_| themselves)
        && !projections.iter().any(|p| p.pre == p.post)
    {
        let message = "in this architecture no population projects onto itself";
        return Err(item.wrong(message, "self-connections = false, or another architecture"));
    }
    let last = sizes.len().saturating_sub(2);
    let pairs = projections.iter().map(|p| p.pre.min(p.post).min(last)).collect();
    let mut graph = Graph {
        pairs: (architecture != Architecture::FullyRecurrent).then_some(pairs),
        projections,
        ..Graph::default()
    };
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

/// A list of populations and a list of projections.
pub(super) fn custom<'a>(section: &Section<'a>) -> Result<Graph<'a>, ConfigError> {
    section.refuse("sizes", "belongs to the named architectures", "[[network.population]]")?;
    for key in ["only-discriminative", "self-connections"] {
        section.refuse(key, "belongs to the named architectures", "what [[network.projection]] says")?;
    }
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
        let section = Section::open(item, &["pre", "post", "factor", "clip", "weights", "self-connections"])?;
        let pre = end(&section, "pre", &graph.populations)?;
        let post = end(&section, "post", &graph.populations)?;
        let mut projection = Projection::between(pre, post);
        if let Some(item) = section.get("self-connections") {
            projection.self_connections = item.boolean()?;
            if projection.self_connections && pre != post {
                let message = format!("`{}` needs a projection from a population to itself", item.path);
                return Err(item.wrong(message, "the same pre and post, or false"));
            }
        }
        graph.projections.push(projection);
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
pub(super) fn end(
    section: &Section<'_>,
    key: &str,
    populations: &[Population],
) -> Result<usize, ConfigError> {
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
