//! Section `[data]`.

use std::path::PathBuf;

use super::arrays;
use super::error::ConfigError;
use super::item::Item;
use super::section::Section;
use super::series;
use super::text::Place;
use super::types::{DataConfig, DataSource};
use crate::data::{Encoding, PublishedSet};
use crate::network::Network;

const KEYS: [&str; 10] = [
    "source",
    "kind",
    "train-images",
    "train-labels",
    "test-images",
    "test-labels",
    "directory",
    "validation",
    "encoding",
    "train-limit",
];

/// More samples than any file in the IDX format can hold.
pub(super) const MOST_SAMPLES: usize = u32::MAX as usize;

#[derive(Clone, Copy)]
enum Kind {
    EmbeddedMnist,
    Published(PublishedSet),
    Idx,
    Arrays,
    Images,
    EmbeddedIeeg,
    Recording,
}

impl Kind {
    fn is_series(self) -> bool {
        matches!(self, Self::EmbeddedIeeg | Self::Recording)
    }
}

/// The names of all sources.
fn kinds() -> Vec<(&'static str, Kind)> {
    let published = PublishedSet::NAMES.map(|(name, set)| (name, Kind::Published(set)));
    let own = [("idx", Kind::Idx), ("arrays", Kind::Arrays), ("images", Kind::Images)];
    let series =
        [("embedded-ieeg", Kind::EmbeddedIeeg), ("recording", Kind::Recording), ("series", Kind::Recording)];
    [&[("embedded-mnist", Kind::EmbeddedMnist)], &published[..], &own, &series].concat()
}

/// Which source: under the key `source`, or `kind`, which means the same.
fn kind(section: &Section<'_>) -> Result<Kind, ConfigError> {
    let kinds = kinds();
    if section.get("source").is_some() {
        section.refuse("kind", "stands beside `source`, which means the same", "one of the two")?;
    }
    if let Some(item) = section.get("kind") {
        return item.choice(&kinds);
    }
    let names = kinds.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    section.need("source", &format!("source = one of: {names}"))?.choice(&kinds)
}

/// Refuses the keys of other sources.
fn refuse_others(section: &Section<'_>, kind: Kind) -> Result<(), ConfigError> {
    if !matches!(kind, Kind::Idx) {
        let arrays = matches!(kind, Kind::Arrays | Kind::Images);
        for key in KEYS[2..6].iter().filter(|key| !arrays || **key != "test-labels") {
            section.refuse(key, "needs source = \"idx\"", "no files for this source")?;
        }
    }
    if !matches!(kind, Kind::Published(_)) {
        let because = "needs source = \"mnist\" or \"fashion-mnist\"";
        section.refuse("directory", because, "no directory for this source")?;
    }
    if !matches!(kind, Kind::Arrays | Kind::Images) {
        for key in &arrays::KEYS {
            section.refuse(key, "needs source = \"arrays\" or \"images\"", "no such key for this source")?;
        }
    }
    let (keys, because, expected) = if kind.is_series() {
        let because = "is for static samples, not for a recording";
        (&KEYS[7..], because, "train-s, validation-s, test-s, divide-by or scale")
    } else {
        let because = "needs source = \"embedded-ieeg\" or \"recording\"";
        (&series::KEYS[..], because, "no key about recordings for this source")
    };
    // These are keys of arrays as well.
    let shared =
        |key: &&&str| matches!(kind, Kind::Arrays | Kind::Images) && ["inputs", "scale"].contains(*key);
    keys.iter().filter(|key| !shared(key)).try_for_each(|key| section.refuse(key, because, expected))
}

/// Reads the section; `folder` is where relative paths start.
pub(super) fn read(item: Item<'_>, folder: &std::path::Path) -> Result<DataConfig, ConfigError> {
    let section = Section::open(item, &[&KEYS[..], &arrays::KEYS, &series::KEYS].concat())?;
    let kind = kind(&section)?;
    refuse_others(&section, kind)?;
    let source = match kind {
        Kind::EmbeddedMnist => DataSource::EmbeddedMnist,
        Kind::Published(set) => {
            const EXPECTED: &str = "the path of a data directory, relative to the folder of the experiment";
            let directory = section.get("directory").map(|item| path(&item, EXPECTED, folder)).transpose()?;
            DataSource::Published { set, directory }
        }
        Kind::Idx => DataSource::Idx {
            train_images: file(&section, "train-images", folder)?,
            train_labels: file(&section, "train-labels", folder)?,
            test_images: file(&section, "test-images", folder)?,
            test_labels: file(&section, "test-labels", folder)?,
        },
        Kind::Arrays => DataSource::Arrays(arrays::read(&section, folder)?),
        Kind::Images => DataSource::Images(arrays::pictures(&section, folder)?),
        Kind::EmbeddedIeeg | Kind::Recording => {
            return series::read(&section, matches!(kind, Kind::EmbeddedIeeg), folder).map(series::data);
        }
    };
    let validation = section.get("validation").map(|i| i.size(0, MOST_SAMPLES)).transpose()?;
    let encoding = section.get("encoding").map(|i| i.choice(&Encoding::NAMES)).transpose()?;
    let train_limit = section.get("train-limit").map(|i| i.size(1, MOST_SAMPLES)).transpose()?;
    Ok(DataConfig {
        source,
        validation: validation.unwrap_or(0),
        encoding: encoding.unwrap_or(Encoding::Unit),
        train_limit,
    })
}

/// The path of an IDX file, made absolute.
fn file(section: &Section<'_>, key: &str, folder: &std::path::Path) -> Result<PathBuf, ConfigError> {
    const EXPECTED: &str = "the path of an IDX file, plain or .gz, relative to the folder of the experiment";
    path(&section.need(key, EXPECTED)?, EXPECTED, folder)
}

/// A path that starts from `folder`, made absolute.
pub(super) fn path(
    item: &Item<'_>,
    expected: &str,
    folder: &std::path::Path,
) -> Result<PathBuf, ConfigError> {
    let text = item.text(expected)?;
    if text.is_empty() || text.contains('\0') {
        return Err(item.refused("an empty path, or one with a NUL character", expected));
    }
    match std::path::absolute(folder.join(text)) {
        Ok(path) if path.to_str().is_some() => Ok(path),
        Ok(path) => {
            Err(item.refused(format!("below '{}'", path.display()), "a folder whose name is Unicode"))
        }
        Err(error) => Err(item.wrong(format!("`{}`: {error}", item.path), expected)),
    }
}

/// Checks that the network fits data whose sizes are known. `places`: of the sizes of all populations.
pub(super) fn check_sizes(
    data: &DataConfig,
    network: &Network,
    places: &[Place],
    item: &Item<'_>,
) -> Result<(), ConfigError> {
    if let DataSource::Series(series) = &data.source {
        let (want, have) = (series.inputs.len(), network.n_in());
        if want == have {
            return Ok(());
        }
        let name = &network.populations[0].name;
        let message = format!("`data.inputs` names {want} channels, population '{name}' has {have} neurons");
        return Err(item.texts.error(places.first().copied(), message, want.to_string()));
    }
    if network.n_in() == 0 {
        let name = &network.populations[0].name;
        let message = format!("population '{name}' has no neurons: there is nowhere to present images");
        return Err(item.texts.error(places.first().copied(), message, "a size of at least 1"));
    }
    let (set, title) = match &data.source {
        DataSource::EmbeddedMnist => (PublishedSet::Mnist.about(), "embedded MNIST"),
        DataSource::Published { set, .. } => (set.about(), set.about().title),
        DataSource::Idx { .. } | DataSource::Arrays(_) | DataSource::Images(_) | DataSource::Series(_) => {
            return Ok(());
        }
    };
    let last = network.populations.len() - 1;
    for (p, want, what) in [(0, set.pixels, "pixels"), (last, set.classes, "classes")] {
        let population = &network.populations[p];
        if population.size != want {
            let message = format!(
                "the images of {title} have {want} {what}, population '{}' has {} neurons",
                population.name, population.size
            );
            return Err(item.texts.error(places.get(p).copied(), message, want.to_string()));
        }
    }
    Ok(())
}
