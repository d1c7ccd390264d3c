//! The keys of `[data]` that are about arrays and pictures of the user.

use std::path::{Path, PathBuf};

use super::data::{MOST_SAMPLES, path};
use super::error::ConfigError;
use super::item::Bound;
use super::section::Section;
use crate::data::arrays::{AnswerKind, ArrayFiles, ArraysConfig, InputScale, PicturesConfig, TestPart};

/// Keys that no other source has. (`inputs` and `scale` recordings have as well, `test-labels` IDX files.)
pub(super) const KEYS: [&str; 9] = [
    "targets",
    "labels",
    "test-inputs",
    "test-targets",
    "test",
    "test-fraction",
    "train-directory",
    "test-directory",
    "colour",
];

/// Of them those of arrays, of pictures, and of both.
const OF_ARRAYS: std::ops::Range<usize> = 0..4;
const OF_PICTURES: std::ops::Range<usize> = 6..9;

const ARRAY: &str = "the path of a .npy or .npz file, relative to the folder of the experiment";
const FOLDER: &str =
    "the path of a folder with a sub-folder of PNG files for each class, relative to that of the experiment";

/// Reads the keys of `source = "arrays"`; relative paths start from `folder`.
pub(super) fn read(section: &Section<'_>, folder: &Path) -> Result<ArraysConfig, ConfigError> {
    for key in &KEYS[OF_PICTURES] {
        section.refuse(key, "needs source = \"images\"", "inputs, targets or labels")?;
    }
    let file = |key: &str| path(&section.need(key, ARRAY)?, ARRAY, folder);
    let inputs = file("inputs")?;
    let answers = if section.get("targets").is_some() {
        section.refuse("labels", "cannot stand beside `targets`", "one of the two")?;
        AnswerKind::Targets
    } else {
        section.need("labels", "labels = \"FILE\" (classes), or targets = \"FILE\" (values)")?;
        AnswerKind::Labels
    };
    let [key, test_key, other] = match answers {
        AnswerKind::Labels => ["labels", "test-labels", "test-targets"],
        AnswerKind::Targets => ["targets", "test-targets", "test-labels"],
    };
    section.refuse(other, &format!("does not belong to `{key}`"), test_key)?;
    let train = ArrayFiles { inputs, answers: file(key)? };
    let has_files = section.get("test-inputs").is_some() || section.get(test_key).is_some();
    let test = if has_files {
        Some(ArrayFiles { inputs: file("test-inputs")?, answers: file(test_key)? })
    } else {
        None
    };
    let test = part(section, test, &format!("test-inputs and {test_key}"))?;
    let scale = section.get("scale").map_or(Ok(InputScale::None), |i| i.choice(&InputScale::NAMES))?;
    Ok(ArraysConfig { train, answers, test, scale })
}

/// Reads the keys of `source = "images"`.
pub(super) fn pictures(section: &Section<'_>, folder: &Path) -> Result<PicturesConfig, ConfigError> {
    for key in KEYS[OF_ARRAYS].iter().chain(&["inputs", "test-labels", "scale"]) {
        section.refuse(key, "needs source = \"arrays\"", "train-directory, test-directory")?;
    }
    let directory =
        |key: &str| -> Result<PathBuf, ConfigError> { path(&section.need(key, FOLDER)?, FOLDER, folder) };
    let train = directory("train-directory")?;
    let test = section.get("test-directory").is_some().then(|| directory("test-directory")).transpose()?;
    let test = part(section, test, "test-directory")?;
    let colour = section.get("colour").map_or(Ok(false), |item| item.boolean())?;
    Ok(PicturesConfig { train, test, colour })
}

/// The test part: files of its own, or samples that are drawn from those there are.
fn part<F>(section: &Section<'_>, files: Option<F>, names: &str) -> Result<TestPart<F>, ConfigError> {
    let beside = format!("cannot stand beside {names}");
    if let Some(files) = files {
        for key in ["test", "test-fraction"] {
            section.refuse(key, &beside, "one of them")?;
        }
        return Ok(TestPart::Files(files));
    }
    if let Some(item) = section.get("test-fraction") {
        section.refuse("test", "cannot stand beside `test-fraction`", "one of the two")?;
        const EXPECTED: &str = "a share of the samples, greater than 0 and less than 1";
        return item.number(Bound::Fraction, EXPECTED).map(TestPart::Share);
    }
    let wanted = format!("{names}, or test = so many samples drawn for the test, or test-fraction");
    section.need("test", &wanted)?.size(1, MOST_SAMPLES).map(TestPart::Count)
}
