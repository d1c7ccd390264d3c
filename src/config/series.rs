//! The keys of `[data]` that are about recordings.

use std::path::Path;

use super::data::path;
use super::error::ConfigError;
use super::item::{Bound, Item, shown};
use super::section::Section;
use super::types::DataConfig;
use crate::data::Encoding;
use crate::data::series::{Channels, Files, MEMORY_LIMIT_MB, Reference, Scale, SeriesConfig};

pub(super) const KEYS: [&str; 20] = [
    "path",
    "paths",
    "rate-hz",
    "unit",
    "channels",
    "types",
    "first",
    "drop-bad",
    "inputs",
    "reference",
    "resample-hz",
    "high-pass-hz",
    "notch-hz",
    "divide-by",
    "scale",
    "step-ms",
    "train-s",
    "validation-s",
    "test-s",
    "memory-limit-mb",
];

/// More channels than any recorder has.
const MOST_CHANNELS: usize = 1_000_000;

/// The scales that have a name; a divisor has a key of its own.
pub(super) const SCALES: [(&str, Scale); 2] = [("z-score", Scale::ZScore), ("none", Scale::None)];

/// How the parts of a recording are called here, in the order of [`SeriesConfig`].
pub(super) const PARTS: [&str; 3] = ["train-s", "validation-s", "test-s"];

/// The data of an experiment that are series.
pub(super) fn data(series: SeriesConfig) -> DataConfig {
    let source = super::types::DataSource::Series(Box::new(series));
    DataConfig { source, validation: 0, encoding: Encoding::Unit, train_limit: None }
}

/// Reads the keys. `embedded`: of the recording in the program, which has no file and tells rate and unit; relative paths start from
/// `folder`.
pub(super) fn read(
    section: &Section<'_>,
    embedded: bool,
    folder: &Path,
) -> Result<SeriesConfig, ConfigError> {
    let mut series = SeriesConfig::of(Files::Embedded);
    if embedded {
        for key in ["path", "paths", "rate-hz", "unit"] {
            section.refuse(key, "needs source = \"recording\"", "no such key for the embedded recording")?;
        }
    } else {
        series.files = Files::Paths(paths(section, folder)?);
    }
    series.rate_hz = number(section, "rate-hz", "samples a second, greater than 0")?;
    series.unit = section.get("unit").map(|item| unit(&item)).transpose()?;
    series.channels = channels(section)?;
    series.drop_bad = section.get("drop-bad").map_or(Ok(true), |item| item.boolean())?;
    series.inputs = section
        .get("inputs")
        .map_or(Ok(Vec::new()), |item| names(&item, "a list of names of channels", true))?;
    if let Some(item) = section.get("reference") {
        series.reference = item.choice(&Reference::NAMES)?;
    }
    series.resample_hz = number(section, "resample-hz", "samples a second, greater than 0")?;
    series.high_pass_hz = number(section, "high-pass-hz", "a frequency in Hz, greater than 0")?;
    series.notch_hz = notches(section)?;
    series.scale = scale(section)?;
    series.step_ms = number(section, "step-ms", "simulated ms from sample to sample, greater than 0")?;
    series.memory_limit_mb = section.get("memory-limit-mb").map_or(Ok(MEMORY_LIMIT_MB), |item| {
        item.number(Bound::NonNegativeOrInfinite, "megabytes, 0 or greater, or inf for no limit")
    })?;
    parts(section, &mut series)?;
    Ok(series)
}

fn number(section: &Section<'_>, key: &str, expected: &str) -> Result<Option<f64>, ConfigError> {
    section.get(key).map(|item| item.number(Bound::Positive, expected)).transpose()
}

/// One path, or a list of several.
fn paths(section: &Section<'_>, folder: &Path) -> Result<Vec<std::path::PathBuf>, ConfigError> {
    const EXPECTED: &str = "the path of a recording, relative to the folder of the experiment";
    const SEVERAL: &str = "a list of paths of recordings, relative to the folder of the experiment";
    let Some(item) = section.get("paths") else {
        let item = section.need("path", "path = \"FILE\", or paths = [\"A\", \"B\"]")?;
        return Ok(vec![path(&item, EXPECTED, folder)?]);
    };
    section.refuse("path", "cannot stand beside `paths`", "one of the two")?;
    let elements = item.elements().ok_or_else(|| item.mistyped(SEVERAL))?;
    if elements.is_empty() {
        return Err(item.wrong(format!("`{}` is empty", item.path), SEVERAL));
    }
    elements.iter().map(|item| path(item, EXPECTED, folder)).collect()
}

/// A unit of voltage.
fn unit(item: &Item<'_>) -> Result<String, ConfigError> {
    const UNITS: [(&str, &str); 5] = [("µV", "µV"), ("uV", "µV"), ("mV", "mV"), ("V", "V"), ("nV", "nV")];
    item.choice(&UNITS).map(str::to_owned)
}

fn channels(section: &Section<'_>) -> Result<Channels, ConfigError> {
    let first = section.get("first").map(|item| item.size(1, MOST_CHANNELS)).transpose()?;
    if let Some(item) = section.get("channels") {
        section.refuse("types", "cannot stand beside `channels`", "one of the two")?;
        section.refuse("first", "cannot stand beside `channels`", "a shorter list of channels")?;
        return names(&item, "a list of names of channels", false).map(Channels::Names);
    }
    match section.get("types") {
        Some(item) => {
            let types = names(&item, "a list of types of channels, like [\"SEEG\", \"ECOG\"]", false)?;
            Ok(Channels::Types { types, first })
        }
        None => Ok(Channels::Default { first }),
    }
}

/// Names, no two the same.
fn names(item: &Item<'_>, expected: &str, may_be_empty: bool) -> Result<Vec<String>, ConfigError> {
    let elements = item.elements().ok_or_else(|| item.mistyped(expected))?;
    if elements.is_empty() && !may_be_empty {
        return Err(item.wrong(format!("`{}` is empty", item.path), expected));
    }
    let mut names: Vec<String> = Vec::with_capacity(elements.len());
    for item in elements {
        // As the readers have them: without surrounding blanks.
        let name = item.text("a name")?.trim();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(item.refused("empty, or contain control characters", "a name"));
        }
        if names.iter().any(|known| known == name) {
            return Err(item.wrong(format!("\"{}\" is in the list twice", shown(name)), "names that differ"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn notches(section: &Section<'_>) -> Result<Vec<f64>, ConfigError> {
    const EXPECTED: &str = "a list of frequencies in Hz, like [50.0, 100.0]";
    let Some(item) = section.get("notch-hz") else { return Ok(Vec::new()) };
    let elements = item.elements().ok_or_else(|| item.mistyped(EXPECTED))?;
    elements.iter().map(|i| i.number(Bound::Positive, "a frequency in Hz, greater than 0")).collect()
}

fn scale(section: &Section<'_>) -> Result<Scale, ConfigError> {
    let divisor = number(section, "divide-by", "a divisor in µV, greater than 0")?;
    match divisor {
        Some(divisor) => {
            section.refuse("scale", "cannot stand beside `divide-by`", "one of the two")?;
            Ok(Scale::DivideBy(divisor))
        }
        None => section.get("scale").map_or(Ok(Scale::ZScore), |item| item.choice(&SCALES)),
    }
}

/// The parts that are given; no two overlap.
fn parts(section: &Section<'_>, series: &mut SeriesConfig) -> Result<(), ConfigError> {
    let mut given: Vec<(&str, [f64; 2])> = Vec::new();
    for (key, to) in
        PARTS.into_iter().zip([&mut series.train_s, &mut series.validation_s, &mut series.test_s])
    {
        let Some(item) = section.get(key) else { continue };
        let part = part(&item)?;
        if let Some((other, [a, b])) = given.iter().find(|(_, [a, b])| part[0] < *b && *a < part[1]) {
            let message = format!("`{}` overlaps `{other}` = [{a:?}, {b:?}]", item.path);
            return Err(item.wrong(message, "parts of the recording that share no time"));
        }
        given.push((key, part));
        *to = Some(part);
    }
    Ok(())
}

/// `[from, to]` in seconds.
fn part(item: &Item<'_>) -> Result<[f64; 2], ConfigError> {
    const EXPECTED: &str =
        "[from, to] in seconds of the recording, 0 ≤ from < to; to = inf stands for its end";
    let elements = item.elements().ok_or_else(|| item.mistyped(EXPECTED))?;
    let [from, to] = elements.as_slice() else {
        return Err(item.wrong(format!("`{}` has {} elements", item.path, elements.len()), EXPECTED));
    };
    let ends = [from.number(Bound::NonNegative, EXPECTED)?, to.number(Bound::PositiveOrInfinite, EXPECTED)?];
    if ends[0] < ends[1] {
        return Ok(ends);
    }
    Err(to.wrong(format!("`{}` runs from {:?} to {:?}", item.path, ends[0], ends[1]), EXPECTED))
}
