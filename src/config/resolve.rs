//! From the text of an experiment to its resolved form.

use super::error::ConfigError;
use super::item::{Item, shown};
use super::network::Parts;
use super::overrides::Overrides;
use super::section::Section;
use super::text::{Place, Texts};
use super::types::{BackpropConfig, DataConfig, Experiment, RunConfig, SimulationConfig, TrainingConfig};
use super::{
    Source, backprop, completion, data, dynamics, microcircuit, network, plasticity, probe, run, tree,
};
use crate::dynamics::Settings;
use crate::network::{Init, MicrocircuitInit, Network};
use crate::probe::Probe;
use crate::schedule::Schedule;
use crate::train::{CompletionConfig, Rule};

const KEYS: [&str; 12] = [
    "name",
    "seed",
    "data",
    "network",
    "dynamics",
    "plasticity",
    "microcircuit",
    "training",
    "completion",
    "backprop",
    "run",
    "probe",
];

/// What an experiment and a simulation share, and what a simulation may have.
struct Resolved {
    name: String,
    seed: u64,
    data: Option<DataConfig>,
    network: Network,
    weight_init: Vec<Init>,
    bias_init: Vec<Init>,
    microcircuit_init: Option<MicrocircuitInit>,
    settings: Settings,
    beta: Vec<f64>,
    rate_w: f64,
    rate_b: f64,
    schedule: Schedule,
    training: Option<TrainingConfig>,
    completion: Option<CompletionConfig>,
    backprop: Option<BackpropConfig>,
    probes: Vec<Probe>,
    run: RunConfig,
}

impl Experiment {
    /// Reads an experiment for a training run.
    ///
    /// # Errors
    /// If it cannot be read, or something in it or in the overrides is wrong or missing.
    pub fn load(source: &Source, overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::parse(&source.read()?, source, overrides)
    }

    /// As [`Experiment::load`], of a text that was read already. `source` names it in errors, and tells where relative
    /// paths start.
    ///
    /// # Errors
    /// As [`Experiment::load`].
    pub fn parse(text: &[u8], source: &Source, overrides: &Overrides) -> Result<Self, ConfigError> {
        let texts = texts(text, source, overrides)?;
        let root = tree(&texts, overrides)?;
        let section = open(&texts, &root)?;
        let r = resolve(&section, source)?;
        let missing = |key: &str| section.need(key, &needs(key)).err();
        match (r.data, r.training, r.backprop) {
            (Some(data), Some(training), Some(backprop)) => Ok(Self {
                name: r.name,
                seed: r.seed,
                data,
                network: r.network,
                weight_init: r.weight_init,
                bias_init: r.bias_init,
                microcircuit_init: r.microcircuit_init,
                settings: r.settings,
                beta: r.beta,
                rate_w: r.rate_w,
                rate_b: r.rate_b,
                schedule: r.schedule,
                training,
                completion: r.completion,
                backprop,
                probes: r.probes,
                run: r.run,
                source: source.clone(),
            }),
            _ => Err(missing("data").or_else(|| missing("training")).unwrap_or_else(|| {
                texts.error(None, "there is no data and no training", "sections [data] and [training]")
            })),
        }
    }
}

impl SimulationConfig {
    /// Reads an experiment for a simulation; its `[data]` and `[training]`, if it has them, are checked and left out.
    ///
    /// # Errors
    /// If it cannot be read, or something in it or in the overrides is wrong or missing.
    pub fn load(source: &Source, overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::parse(&source.read()?, source, overrides)
    }

    /// As [`SimulationConfig::load`], of a text that was read already.
    ///
    /// # Errors
    /// As [`SimulationConfig::load`].
    pub fn parse(text: &[u8], source: &Source, overrides: &Overrides) -> Result<Self, ConfigError> {
        let texts = texts(text, source, overrides)?;
        let root = tree(&texts, overrides)?;
        let r = resolve(&open(&texts, &root)?, source)?;
        Ok(Self {
            name: r.name,
            seed: r.seed,
            network: r.network,
            weight_init: r.weight_init,
            bias_init: r.bias_init,
            microcircuit_init: r.microcircuit_init,
            settings: r.settings,
            beta: r.beta,
            rate_w: r.rate_w,
            rate_b: r.rate_b,
            schedule: r.schedule,
            probes: r.probes,
            run: r.run,
            source: source.clone(),
        })
    }
}

/// The texts, if the experiment is one.
fn texts(text: &[u8], source: &Source, overrides: &Overrides) -> Result<Texts, ConfigError> {
    let file = String::from_utf8_lossy(text).into_owned();
    let texts = Texts { label: source.label(), file, arguments: overrides.shown() };
    match std::str::from_utf8(text) {
        Ok(_) => Ok(texts),
        Err(error) => {
            let start = error.valid_up_to();
            let place = Place { text: 0, start, end: start + char::REPLACEMENT_CHARACTER.len_utf8() };
            Err(texts.error(Some(place), "the experiment is not a text", "UTF-8"))
        }
    }
}

fn tree(texts: &Texts, overrides: &Overrides) -> Result<tree::Node, ConfigError> {
    let mut root = tree::parse(texts)?;
    overrides.apply(texts, &mut root)?;
    Ok(root)
}

fn open<'a>(texts: &'a Texts, root: &'a tree::Node) -> Result<Section<'a>, ConfigError> {
    Section::open(Item { texts, path: String::new(), node: root }, &KEYS)
}

/// What a section holds, for the error that it is missing.
fn needs(section: &str) -> String {
    let holds = match section {
        "data" => "what is learned: source, validation, encoding",
        "network" => "populations, projections, activation, initial values",
        "dynamics" => "integrator, time constants, beta",
        "plasticity" => "learning rates, factors, clips",
        _ => "epochs, batch, steps-per-sample or window-ms",
    };
    format!("[{section}] with {holds}")
}

fn resolve(section: &Section<'_>, source: &Source) -> Result<Resolved, ConfigError> {
    // The seed is drawn from as 64 bits; TOML has one less.
    let seed = section.get("seed").map(|i| i.count(0, i64::MAX as u64)).transpose()?;
    let run = run::run(section.get("run"))?;
    let need = |key: &str| section.need(key, &needs(key));
    let Parts { mut network, weight_init, bias_init, size_places, own, pairs, item } =
        network::read(need("network")?)?;
    let plastic = plasticity::read(need("plasticity")?, &mut network, &own, pairs.as_deref())?;
    let microcircuit_init = microcircuit::read(section.get("microcircuit"), &mut network, plastic.rate_w)?;
    let (settings, beta) = dynamics::read(need("dynamics")?, &network, run.precision, &plastic)?;
    let data = section.get("data").map(|i| data::read(i, &source.folder())).transpose()?;
    if let Some(data) = &data {
        data::check_sizes(data, &network, &size_places, &item)?;
    }
    let series = data.as_ref().map(DataConfig::is_series);
    let training = section.get("training").map(|i| run::training(i, &network, series)).transpose()?;
    let completion = match series {
        Some(true) => Some(completion::read(section.get("completion"), &network, settings.tau_ms)?),
        Some(false) => {
            let because = "is for recordings, not for static samples";
            section.refuse("completion", because, "no such section for this data.source")?;
            None
        }
        None => None,
    };
    if run.control && series == Some(true) {
        let message = "`run.control` is for static samples: backprop, the control, does not learn recordings";
        return Err(section.item().texts.error(Some(section.place("run")), message, "no control"));
    }
    if run.control && training.as_ref().is_some_and(|t| t.rule == Rule::Backprop) {
        let message = "`run.control` would run backprop twice: it is the rule of the experiment itself";
        let expected = "training.rule = \"least-action\", or no control";
        return Err(section.item().texts.error(Some(section.place("run")), message, expected));
    }
    if let Some(k) = network.first_backward()
        && (run.control || training.as_ref().is_some_and(|t| t.rule == Rule::Backprop))
    {
        let key = if run.control { "run" } else { "training" };
        let message = format!(
            "backprop, the control, needs a feedforward network; the projection {} does not run forward",
            network.projection_name(k)
        );
        let expected = "training.rule = \"least-action\" and no control, or another architecture";
        return Err(section.item().texts.error(Some(section.place(key)), message, expected));
    }
    let least_action = training.as_ref().map(|training| backprop::LeastAction {
        rate_w: plastic.rate_w,
        rate_b: plastic.rate_b,
        dt_ms: settings.dt_ms,
        beta: &beta,
        training,
    });
    let backprop = backprop::read(section.get("backprop"), least_action.as_ref())?;
    let probes = probe::read(section.get("probe"), &network, settings.dt_ms, training.as_ref())?;
    Ok(Resolved {
        name: name(section.get("name"), source)?,
        seed: seed.unwrap_or(1),
        data,
        network,
        weight_init,
        bias_init,
        microcircuit_init,
        settings,
        beta,
        rate_w: plastic.rate_w,
        rate_b: plastic.rate_b,
        schedule: plastic.schedule,
        training,
        completion,
        backprop,
        probes,
        run,
    })
}

/// The name becomes part of the name of a folder.
fn name(item: Option<Item<'_>>, source: &Source) -> Result<String, ConfigError> {
    const EXPECTED: &str = "a name that can be part of a file name, without / and \\";
    const LONGEST: usize = 100;
    let allowed = |c: char| !c.is_control() && !"/\\:*?\"<>|".contains(c);
    let Some(item) = item else {
        let stem: String =
            source.stem().chars().map(|c| if allowed(c) { c } else { '-' }).take(LONGEST).collect();
        let bare = stem.trim().trim_matches('.');
        return Ok(if bare.is_empty() { "experiment".to_owned() } else { bare.to_owned() });
    };
    let name = item.text(EXPECTED)?;
    let bare = !name.is_empty() && name.trim().trim_matches('.') == name;
    if bare && name.chars().all(allowed) && name.chars().count() <= LONGEST {
        return Ok(name.to_owned());
    }
    Err(item.refused(format!("\"{}\"", shown(name)), EXPECTED))
}
