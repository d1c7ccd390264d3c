//! Sections `[training]` and `[run]`.

use std::path::PathBuf;

use super::error::ConfigError;
use super::item::{Bound, Item};
use super::section::Section;
use super::types::{DeviceChoice, RunConfig, TrainingConfig};
use crate::data::series::Presentation;
use crate::engine::Precision;
use crate::network::Network;
use crate::train::{Gates, Ramp, Rule};

/// The largest batch: an index into `[batch, N]` must fit 31 bits.
const MOST_VALUES: usize = i32::MAX as usize;

/// More epochs or steps than any run takes.
const MANY: usize = 1_000_000_000;

/// The controls of all steps of a presentation are made at once.
const MOST_STEPS: usize = 1_000_000;

const KEYS: [&str; 12] = [
    "rule",
    "epochs",
    "batch",
    "steps-per-sample",
    "ramp-from",
    "ramp-to",
    "nudge-from",
    "learn-from",
    "rate-decay-per-epoch",
    "window-ms",
    "repetitions",
    "shuffle-windows",
];

/// Keys of static samples alone, and of recordings alone.
const OF_SAMPLES: std::ops::Range<usize> = 3..8;
const OF_SERIES: std::ops::Range<usize> = 9..12;

/// Reads `[training]`. `series`: the data are recordings; `None` where there are no data, and the keys tell.
pub(super) fn training(
    item: Item<'_>,
    network: &Network,
    series: Option<bool>,
) -> Result<TrainingConfig, ConfigError> {
    let section = Section::open(item, &KEYS)?;
    let series = series.unwrap_or_else(|| KEYS[OF_SERIES].iter().any(|key| section.get(key).is_some()));
    let (others, because) = if series {
        (OF_SAMPLES, "is for static samples, not for a recording")
    } else {
        (OF_SERIES, "is for recordings, not for static samples")
    };
    for key in &KEYS[others] {
        section.refuse(key, because, if series { "window-ms, repetitions" } else { "steps-per-sample" })?;
    }
    let most = (MOST_VALUES / network.neurons().max(1)).max(1);
    let decay = section
        .get("rate-decay-per-epoch")
        .map(|i| i.number(Bound::FractionOrOne, "a factor greater than 0 and at most 1"))
        .transpose()?;
    let gate = |key: &str| {
        section
            .get(key)
            .map_or(Ok(0.0), |i| i.number(Bound::Share, "a value of the ramp, from 0 to less than 1"))
    };
    let rule = section.get("rule").map_or(Ok(Rule::LeastAction), |i| i.choice(&Rule::NAMES))?;
    if series && rule == Rule::Backprop {
        let message = "`training.rule` cannot be backprop: the control learns static samples, not recordings";
        return Err(section.item().texts.error(
            Some(section.place("rule")),
            message,
            "rule = \"least-action\"",
        ));
    }
    let steps_per_sample = if series {
        1
    } else {
        section
            .need("steps-per-sample", "steps-per-sample = time steps of a presentation")?
            .size(1, MOST_STEPS)?
    };
    Ok(TrainingConfig {
        rule,
        epochs: section.need("epochs", "epochs = passes through the training samples")?.size(1, MANY)?,
        batch: section.need("batch", "batch = samples presented together")?.size(1, most)?,
        steps_per_sample,
        ramp: ramp(&section)?,
        gates: Gates { nudge_from: gate("nudge-from")?, learn_from: gate("learn-from")? },
        rate_decay_per_epoch: decay.unwrap_or(1.0),
        windows: series.then(|| windows(&section)).transpose()?,
    })
}

/// How recordings are presented.
fn windows(section: &Section<'_>) -> Result<Presentation, ConfigError> {
    let mut how = Presentation::default();
    if let Some(item) = section.get("window-ms") {
        how.window_ms = Some(item.number(Bound::Positive, "a time in ms, greater than 0")?);
    }
    if let Some(item) = section.get("repetitions") {
        how.repetitions = item.size(1, MANY)?;
    }
    how.shuffle = section.get("shuffle-windows").map_or(Ok(false), |item| item.boolean())?;
    Ok(how)
}

/// The ends of the logistic ramp; by default those of the reference.
fn ramp(section: &Section<'_>) -> Result<Ramp, ConfigError> {
    let mut ramp = Ramp::default();
    if let Some(item) = section.get("ramp-from") {
        ramp.from = item.number(Bound::Finite, "a number: where the ramp 1/(1 + exp(-x/4)) begins")?;
    }
    if let Some(item) = section.get("ramp-to") {
        ramp.to = item.number(Bound::Finite, "a number: where the ramp 1/(1 + exp(-x/4)) ends")?;
    }
    if ramp.from < ramp.to {
        return Ok(ramp);
    }
    let item =
        section.get("ramp-to").or_else(|| section.get("ramp-from")).unwrap_or_else(|| section.item().clone());
    Err(item.wrong(
        format!("the ramp would run from {:?} to {:?}", ramp.from, ramp.to),
        "ramp-from smaller than ramp-to",
    ))
}

/// Reads `[run]`, all of which has defaults.
pub(super) fn run(item: Option<Item<'_>>) -> Result<RunConfig, ConfigError> {
    let mut run = RunConfig {
        device: DeviceChoice::Auto,
        precision: Precision::F32,
        directory: PathBuf::from("runs"),
        checkpoint_every_s: 30.0,
        keep_checkpoints: 2,
        seeds: Vec::new(),
        control: false,
    };
    let Some(item) = item else { return Ok(run) };
    let keys =
        ["device", "precision", "directory", "checkpoint-every-s", "keep-checkpoints", "seeds", "control"];
    let section = Section::open(item, &keys)?;
    checkpoints(&section, &mut run)?;
    if let Some(item) = section.get("seeds") {
        run.seeds = seeds(&item)?;
    }
    run.control = section.get("control").map_or(Ok(false), |item| item.boolean())?;
    if let Some(item) = section.get("device") {
        run.device = device(&item)?;
    }
    if let Some(item) = section.get("precision") {
        run.precision = item.choice(&Precision::NAMES)?;
        let gpu = matches!(run.device, DeviceChoice::Gpu | DeviceChoice::Index(_) | DeviceChoice::Name(_));
        if run.precision == Precision::F64 && gpu {
            let message = format!("`{}` cannot be \"f64\" on a GPU (device = \"{}\")", item.path, run.device);
            return Err(item.wrong(message, "\"f32\", or device = \"cpu\""));
        }
    }
    if let Some(item) = section.get("directory") {
        const EXPECTED: &str = "the path of a folder";
        let text = item.text(EXPECTED)?;
        if text.is_empty() || text.contains('\0') {
            return Err(item.refused("an empty path, or one with a NUL character", EXPECTED));
        }
        run.directory = PathBuf::from(text);
    }
    Ok(run)
}

/// Seeds of runs in turn: no two the same.
fn seeds(item: &Item<'_>) -> Result<Vec<u64>, ConfigError> {
    const EXPECTED: &str = "a list of seeds, like [1, 2, 3]";
    let mut seeds = Vec::new();
    for item in item.elements().ok_or_else(|| item.mistyped(EXPECTED))? {
        let seed = item.count(0, i64::MAX as u64)?;
        if seeds.contains(&seed) {
            return Err(item.wrong(format!("seed {seed} is in the list twice"), "seeds that differ"));
        }
        seeds.push(seed);
    }
    Ok(seeds)
}

fn checkpoints(section: &Section<'_>, run: &mut RunConfig) -> Result<(), ConfigError> {
    if let Some(item) = section.get("checkpoint-every-s") {
        run.checkpoint_every_s = item
            .number(Bound::NonNegative, "seconds between checkpoints, or 0 for one after every mini-batch")?;
    }
    if let Some(item) = section.get("keep-checkpoints") {
        run.keep_checkpoints = item.size(1, MANY)?;
    }
    Ok(())
}

fn device(item: &Item<'_>) -> Result<DeviceChoice, ConfigError> {
    const EXPECTED: &str = "auto, cpu, gpu, the index of a GPU or a part of its name";
    if matches!(item.node.value, super::tree::Value::Integer(_)) {
        return item.size(0, MANY).map(DeviceChoice::Index);
    }
    let text = item.text(EXPECTED)?;
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(item.refused("empty, or contain control characters", EXPECTED));
    }
    match DeviceChoice::parse(text) {
        DeviceChoice::Index(index) if index > MANY => Err(item.refused(index, EXPECTED)),
        choice => Ok(choice),
    }
}
