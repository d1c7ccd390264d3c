//! Tables `[[probe]]`: what is recorded while a network is trained or simulated.

use super::error::ConfigError;
use super::item::{Bound, Item, shown};
use super::section::Section;
use super::topology::named_population;
use super::types::TrainingConfig;
use super::write::{list, number, quoted};
use crate::network::Network;
use crate::probe::{Probe, ProbeError, Quantity, Selection};
use crate::train::Rule;

const KEYS: [&str; 9] = [
    "name",
    "populations",
    "neurons",
    "quantities",
    "every-ms",
    "trajectories",
    "epochs",
    "presentations",
    "max-mib",
];

const SELECTION: &str =
    "\"all\", a range like \"0..10\" (the last one is not in it), or a list of whole numbers";
const QUANTITIES: &str = "a list of quantities, like [\"u\", \"error\"]";

/// Most memory of a probe, unless it says otherwise, MiB.
const MAX_MIB: f64 = 64.0;

/// Longest name: it becomes that of a file.
const LONGEST_NAME: usize = 64;

/// More trajectories, neurons, epochs or presentations than there are.
const MANY: usize = 1_000_000_000;

/// Reads all tables.
pub(super) fn read(
    item: Option<Item<'_>>,
    network: &Network,
    dt_ms: f64,
    training: Option<&TrainingConfig>,
) -> Result<Vec<Probe>, ConfigError> {
    const EXPECTED: &str = "tables [[probe]]";
    let Some(all) = item else { return Ok(Vec::new()) };
    let mut probes: Vec<Probe> = Vec::new();
    for item in all.elements().ok_or_else(|| all.mistyped(EXPECTED))? {
        let section = Section::open(item, &KEYS)?;
        let probe = one(&section, network, dt_ms)?;
        // Some file systems do not tell letters of different size.
        if probes.iter().any(|p| p.name.eq_ignore_ascii_case(&probe.name)) {
            let message = format!("there are two probes '{}'", probe.name);
            let texts = section.item().texts;
            return Err(texts.error(Some(section.place("name")), message, "a name of its own"));
        }
        check(&section, &probe, network, dt_ms, training)?;
        probes.push(probe);
    }
    Ok(probes)
}

fn one(section: &Section<'_>, network: &Network, dt_ms: f64) -> Result<Probe, ConfigError> {
    let quantities = match section.get("quantities") {
        None => vec![Quantity::Voltage],
        Some(item) => {
            let elements = item.elements().ok_or_else(|| item.mistyped(QUANTITIES))?;
            let mut all: Vec<Quantity> = Vec::new();
            for element in &elements {
                let quantity = element.choice(&Quantity::NAMES)?;
                if all.contains(&quantity) {
                    return Err(element.wrong("a quantity that is in the list twice", "names that differ"));
                }
                all.push(quantity);
            }
            all
        }
    };
    let populations = match section.get("populations") {
        // Prescribed voltages are no news.
        None => (usize::from(network.input.is_clamped())..network.populations.len()).collect(),
        Some(item) => populations(&item, network)?,
    };
    let number = |key: &str, default: f64, expected: &str| {
        section.get(key).map_or(Ok(default), |i| i.number(Bound::Positive, expected))
    };
    Ok(Probe {
        name: name(&section.need("name", "name = name of the file")?)?,
        populations,
        neurons: selection(section, "neurons", 0)?,
        quantities,
        every_ms: number("every-ms", dt_ms, "a time in ms, a multiple of dt-ms")?,
        trajectories: section.get("trajectories").map_or(Ok(1), |i| i.size(1, MANY))?,
        epochs: selection(section, "epochs", 1)?,
        presentations: selection(section, "presentations", 1)?,
        max_mib: number("max-mib", MAX_MIB, "memory for samples in MiB, greater than 0")?,
    })
}

fn name(item: &Item<'_>) -> Result<String, ConfigError> {
    const EXPECTED: &str = "a name of at most 64 letters of the alphabet, digits, '-' and '_'";
    let name = item.text(EXPECTED)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(fits) {
        return Ok(name.to_owned());
    }
    Err(item.refused(format!("\"{}\"", shown(name)), EXPECTED))
}

fn populations(item: &Item<'_>, network: &Network) -> Result<Vec<usize>, ConfigError> {
    const EXPECTED: &str = "a list of names of populations";
    let mut indices = Vec::new();
    for item in item.elements().ok_or_else(|| item.mistyped(EXPECTED))? {
        let index = named_population(&item, &network.populations)?;
        if indices.contains(&index) {
            return Err(item.wrong("a population that is in the list twice", "names that differ"));
        }
        indices.push(index);
    }
    Ok(indices)
}

/// `"all"`, `"a..b"` or a list.
fn selection(section: &Section<'_>, key: &str, first: usize) -> Result<Selection, ConfigError> {
    let Some(item) = section.get(key) else { return Ok(Selection::All) };
    if let Some(elements) = item.elements() {
        if elements.is_empty() {
            return Err(item.wrong(format!("`{}` chooses nothing", item.path), SELECTION));
        }
        return elements.iter().map(|i| i.size(first, MANY)).collect::<Result<_, _>>().map(Selection::List);
    }
    let text = item.text(SELECTION)?;
    if text == "all" {
        return Ok(Selection::All);
    }
    let ends = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    match ends {
        Some((from, to)) if first <= from && from < to && to <= MANY => Ok(Selection::Range(from, to)),
        _ => Err(item.refused(format!("\"{}\"", shown(text)), format!("{SELECTION}, from {first} on"))),
    }
}

/// Maps what a probe finds wrong with itself to the line that says so.
fn check(
    section: &Section<'_>,
    probe: &Probe,
    network: &Network,
    dt_ms: f64,
    training: Option<&TrainingConfig>,
) -> Result<(), ConfigError> {
    let wrong = |key: &str, message: String, expected: String| {
        Err(section.item().texts.error(Some(section.place(key)), message, expected))
    };
    if let Some(training) = training {
        if training.rule == Rule::Backprop {
            let message = format!("probe '{}' would record dynamics, and backprop has none", probe.name);
            return wrong("name", message, "no [[probe]], or training.rule = \"least-action\"".into());
        }
        if !(1..=training.epochs).any(|epoch| probe.epochs.contains(epoch)) {
            let message =
                format!("probe '{}' is for none of the {} epochs of the run", probe.name, training.epochs);
            return wrong("epochs", message, format!("epochs from 1 to {}", training.epochs));
        }
        if probe.trajectories > training.batch {
            let (probe, want, have) = (probe.name.clone(), probe.trajectories, training.batch);
            let error = ProbeError::Trajectories { probe, want, have };
            return wrong("trajectories", error.to_string(), format!("at most {have}, the batch"));
        }
    }
    let Err(error) = probe.check(network, dt_ms) else { return Ok(()) };
    let (key, expected) = match &error {
        ProbeError::Every { .. } => ("every-ms", format!("a multiple of {}", number(dt_ms))),
        ProbeError::Trajectories { have, .. } => ("trajectories", format!("at most {have}")),
        ProbeError::Neuron { size, .. } => ("neurons", format!("neurons from 0 to {}", size - 1)),
        ProbeError::Nothing(_) if probe.quantities.is_empty() => ("quantities", QUANTITIES.to_owned()),
        ProbeError::Nothing(_) if probe.populations.is_empty() => ("populations", "a population".to_owned()),
        ProbeError::Nothing(_) => ("neurons", "at least one neuron".to_owned()),
        ProbeError::Clamped { .. }
        | ProbeError::NoOutputs { .. }
        | ProbeError::NoInterneurons(_)
        | ProbeError::Resident { .. } => {
            ("populations", "populations that have all the quantities".to_owned())
        }
    };
    wrong(key, error.to_string(), expected)
}

/// Keys and values of a table that [`read`] reads as the same.
pub(super) fn lines(probe: &Probe, network: &Network) -> Vec<(&'static str, String)> {
    let selection = |s: &Selection| match s {
        Selection::All => "\"all\"".to_owned(),
        Selection::Range(from, to) => format!("\"{from}..{to}\""),
        Selection::List(items) => list(items.iter().map(usize::to_string)),
    };
    let populations = probe.populations.iter().map(|&p| quoted(&network.populations[p].name));
    vec![
        ("name", quoted(&probe.name)),
        ("populations", list(populations)),
        ("neurons", selection(&probe.neurons)),
        ("quantities", list(probe.quantities.iter().map(|q| quoted(q.name())))),
        ("every-ms", number(probe.every_ms)),
        ("trajectories", probe.trajectories.to_string()),
        ("epochs", selection(&probe.epochs)),
        ("presentations", selection(&probe.presentations)),
        ("max-mib", number(probe.max_mib)),
    ]
}
