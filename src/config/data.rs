//! Section `[data]`.

use std::path::PathBuf;

use super::error::ConfigError;
use super::item::Item;
use super::section::Section;
use super::text::Place;
use super::types::{DataConfig, DataSource};
use crate::data::Encoding;
use crate::network::Network;

const KEYS: [&str; 8] = [
    "source",
    "train-images",
    "train-labels",
    "test-images",
    "test-labels",
    "validation",
    "encoding",
    "train-limit",
];

/// Pixels of an MNIST digit.
const MNIST_PIXELS: usize = 28 * 28;

/// Classes of MNIST.
const MNIST_CLASSES: usize = 10;

/// More samples than any file in the IDX format can hold.
const MOST_SAMPLES: usize = u32::MAX as usize;

#[derive(Clone, Copy)]
enum Kind {
    EmbeddedMnist,
    Idx,
}

/// Reads the section; `folder` is where relative paths start.
pub(super) fn read(item: Item<'_>, folder: &std::path::Path) -> Result<DataConfig, ConfigError> {
    let section = Section::open(item, &KEYS)?;
    let kinds = [("embedded-mnist", Kind::EmbeddedMnist), ("idx", Kind::Idx)];
    let kind = section.need("source", "source = \"embedded-mnist\" or \"idx\"")?.choice(&kinds)?;
    let source = match kind {
        Kind::EmbeddedMnist => {
            for key in &KEYS[1..5] {
                section.refuse(key, "needs source = \"idx\"", "no files for embedded-mnist")?;
            }
            DataSource::EmbeddedMnist
        }
        Kind::Idx => DataSource::Idx {
            train_images: path(&section, "train-images", folder)?,
            train_labels: path(&section, "train-labels", folder)?,
            test_images: path(&section, "test-images", folder)?,
            test_labels: path(&section, "test-labels", folder)?,
        },
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

/// The path of a file, made absolute.
fn path(section: &Section<'_>, key: &str, folder: &std::path::Path) -> Result<PathBuf, ConfigError> {
    const EXPECTED: &str = "the path of an IDX file, plain or .gz, relative to the folder of the experiment";
    let item = section.need(key, EXPECTED)?;
    let text = item.text(EXPECTED)?;
    if text.is_empty() || text.contains('\0') {
        return Err(item.refused("an empty path, or one with a NUL character", EXPECTED));
    }
    match std::path::absolute(folder.join(text)) {
        Ok(path) if path.to_str().is_some() => Ok(path),
        Ok(path) => {
            Err(item.refused(format!("below '{}'", path.display()), "a folder whose name is Unicode"))
        }
        Err(error) => Err(item.wrong(format!("`{}`: {error}", item.path), EXPECTED)),
    }
}

/// Checks that the network fits data whose sizes are known. `places`: of the sizes of all populations.
pub(super) fn check_sizes(
    data: &DataConfig,
    network: &Network,
    places: &[Place],
    item: &Item<'_>,
) -> Result<(), ConfigError> {
    if data.source != DataSource::EmbeddedMnist {
        return Ok(());
    }
    let last = network.populations.len() - 1;
    for (p, want, what) in [(0, MNIST_PIXELS, "pixels"), (last, MNIST_CLASSES, "classes")] {
        let population = &network.populations[p];
        if population.size != want {
            let message = format!(
                "the embedded MNIST digits have {want} {what}, population '{}' has {} neurons",
                population.name, population.size
            );
            return Err(item.texts.error(places.get(p).copied(), message, want.to_string()));
        }
    }
    Ok(())
}
