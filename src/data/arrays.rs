//! The user's own static samples: arrays of inputs with targets or labels, and folders of pictures by class.
//!
//! Inputs are `[samples, …]`, flattened; bytes (uint8) are brightness, 0 to 255, encoded as pixels are, and all other numbers voltages as they are, after
//! scaling if any is asked for. Bytes with labels stay bytes.

mod error;
mod pictures;
mod scaling;
mod table;

pub use error::ArrayError;
pub use scaling::{InputScale, Scaling};
pub use table::Table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Answers, DataError, Dataset, Encoding, Samples, Split, Values};
use pictures::Pictures;
use table::Part;

/// What the outputs are to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// A class a sample.
    Labels,
    /// A value an output neuron.
    Targets,
}

/// Two arrays that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayFiles {
    /// `.npy`, or `.npz` with an array `inputs`.
    pub inputs: PathBuf,
    /// `.npy`, or `.npz` with an array `targets` or `labels`.
    pub answers: PathBuf,
}

/// Where the test samples come from.
#[derive(Clone, Debug, PartialEq)]
pub enum TestPart<F> {
    /// Files of their own.
    Files(F),
    /// So many of the samples there are, drawn by the seed.
    Count(usize),
    /// This share of the samples there are, drawn by the seed; in (0, 1).
    Share(f64),
}

impl<F> TestPart<F> {
    /// How many of `samples` are drawn.
    fn drawn(&self, samples: usize) -> Result<usize, ArrayError> {
        let test = match self {
            Self::Files(_) => return Ok(0),
            Self::Count(count) => *count,
            Self::Share(share) => (share * samples as f64).round() as usize,
        };
        if test == 0 || test >= samples { Err(ArrayError::Test { test, samples }) } else { Ok(test) }
    }
}

/// Samples in arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct ArraysConfig {
    /// What is learned.
    pub train: ArrayFiles,
    /// What the answers are.
    pub answers: AnswerKind,
    /// What is tested.
    pub test: TestPart<ArrayFiles>,
    /// How inputs are scaled.
    pub scale: InputScale,
}

/// Pictures in folders.
#[derive(Clone, Debug, PartialEq)]
pub struct PicturesConfig {
    /// Folder with a sub-folder a class.
    pub train: PathBuf,
    /// What is tested.
    pub test: TestPart<PathBuf>,
    /// Red, green and blue in place of grey.
    pub colour: bool,
}

/// Samples in arrays, as they are learned.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// Bytes with labels, for the tables of an encoding.
    Bytes(Dataset),
    /// Numbers, and what scaled the inputs.
    Values(Dataset<Values>, Option<Scaling>),
}

/// The network that samples are for: input and output neurons, and how bytes and classes become voltages.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Neurons of the input population.
    pub n_in: usize,
    /// Neurons of the output population.
    pub n_out: usize,
    /// Of bytes, and of classes.
    pub encoding: Encoding,
}

/// Inputs and answers of one set of files.
struct Raw {
    inputs: Table,
    answers: RawAnswers,
}

enum RawAnswers {
    Labels(Vec<u8>),
    Targets(Table),
}

impl Raw {
    fn open(files: &ArrayFiles, kind: AnswerKind, test: bool, shape: Shape) -> Result<Self, ArrayError> {
        let inputs = Table::open(&files.inputs, Part { what: "inputs", each: "feature", test })?;
        inputs.check("inputs", "input", shape.n_in)?;
        let (answers, count) = match kind {
            AnswerKind::Labels => {
                let part = Part { what: "labels", each: "label", test };
                let labels = table::labels(&files.answers, part, shape.n_out)?;
                let count = labels.len();
                (RawAnswers::Labels(labels), count)
            }
            AnswerKind::Targets => {
                let targets = Table::open(&files.answers, Part { what: "targets", each: "target", test })?;
                targets.check("targets", "output", shape.n_out)?;
                let count = targets.samples();
                (RawAnswers::Targets(targets), count)
            }
        };
        let counts = [inputs.samples(), count];
        if counts[0] != counts[1] {
            let paths = [files.inputs.clone(), files.answers.clone()];
            return Err(ArrayError::Count { paths, counts });
        }
        Ok(Self { inputs, answers })
    }

    /// The samples at `rows`, scaled; `None` if there are none.
    fn values(&self, rows: &[usize], scaling: Option<&Scaling>, shape: Shape) -> Option<Values> {
        let mut inputs: Vec<f64> = rows.iter().flat_map(|&i| self.inputs.row(i).iter().copied()).collect();
        if let Some(scaling) = scaling {
            scaling.apply(&mut inputs);
        }
        let inputs = inputs.into_iter().map(|v| v as f32).collect();
        let answers = match &self.answers {
            RawAnswers::Labels(labels) => Answers::Classes {
                labels: Arc::new(rows.iter().map(|&i| labels[i]).collect()),
                levels: shape.encoding.label_table(),
            },
            RawAnswers::Targets(table) => {
                let all = rows.iter().flat_map(|&i| table.row(i).iter().map(|&v| v as f32));
                Answers::Targets(Arc::new(all.collect()))
            }
        };
        Values::new(inputs, answers, [shape.n_in, shape.n_out])
    }

    /// Bytes with labels.
    fn samples(&self, labels: &[u8], classes: usize) -> Result<Samples, DataError> {
        let bytes = self.inputs.data.iter().map(|&v| v as u8).collect();
        Samples::new(bytes, labels.to_vec(), self.inputs.width, classes)
    }
}

/// Reads samples from arrays, checks them against the network and splits them.
///
/// # Errors
/// [`ArrayError`] within [`DataError`], with file and place; or a split that leaves nothing.
pub fn load(config: &ArraysConfig, shape: Shape, split: Split) -> Result<Loaded, DataError> {
    let mut train = Raw::open(&config.train, config.answers, false, shape)?;
    let mut test = match &config.test {
        TestPart::Files(files) => Some(Raw::open(files, config.answers, true, shape)?),
        _ => None,
    };
    if let (Some(test), TestPart::Files(files)) = (&test, &config.test) {
        table::other(&config.train.inputs, &files.inputs, "inputs")?;
        let answers = if config.answers == AnswerKind::Labels { "labels" } else { "targets" };
        table::other(&config.train.answers, &files.answers, answers)?;
        if test.inputs.bytes != train.inputs.bytes {
            let [uint8, other] = if train.inputs.bytes { [&train, test] } else { [test, &train] };
            let [uint8, other] = [uint8, other].map(|raw| raw.inputs.path.clone());
            return Err(ArrayError::Mixed { uint8, other }.into());
        }
    }
    let description = description(config);
    let bytes = train.inputs.bytes && test.as_ref().is_none_or(|test| test.inputs.bytes);
    let available = train.inputs.samples();
    let drawn = config.test.drawn(available)?;
    if bytes
        && config.scale == InputScale::None
        && let RawAnswers::Labels(labels) = &train.answers
    {
        let all = train.samples(labels, shape.n_out)?;
        let (train, test) = match test.as_ref().map(|test| (test, &test.answers)) {
            Some((test, RawAnswers::Labels(labels))) => (all, test.samples(labels, shape.n_out)?),
            _ => divided(&all, drawn, split),
        };
        return Ok(Loaded::Bytes(Dataset::new(train, test, description, split)?));
    }
    train.inputs.decode(shape.encoding);
    if let Some(test) = &mut test {
        test.inputs.decode(shape.encoding);
    }
    let [learned, tested] = split.test_part(available, drawn);
    let [kept, held_out] = split.parts(learned.len())?;
    let of = |places: Vec<usize>| -> Vec<usize> { places.into_iter().map(|i| learned[i]).collect() };
    let (kept, held_out) = (of(kept), of(held_out));
    let scaling = Scaling::fit(config.scale, &train.inputs, &kept);
    let make = |raw: &Raw, rows: &[usize]| raw.values(rows, scaling.as_ref(), shape);
    let test = match &test {
        Some(test) => make(test, &(0..test.inputs.samples()).collect::<Vec<_>>()),
        None => make(&train, &tested),
    };
    let validation = make(&train, &held_out);
    let (Some(train), Some(test)) = (make(&train, &kept), test) else {
        return Err(ArrayError::Test { test: drawn, samples: available }.into());
    };
    Ok(Loaded::Values(Dataset { train, validation, test, description }, scaling))
}

/// The samples that stay, and those that are drawn for the test.
fn divided(all: &Samples, drawn: usize, split: Split) -> (Samples, Samples) {
    let [kept, tested] = split.test_part(all.len(), drawn);
    (all.select(kept.into_iter()), all.select(tested.into_iter()))
}

fn description(config: &ArraysConfig) -> String {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("arrays {}, {}", name(&config.train.inputs), name(&config.train.answers))
}

/// Samples of the user's own file: inputs, and answers where an archive has them.
#[derive(Clone, Debug)]
pub enum Own {
    /// Both.
    Values(Values),
    /// Input voltages `[samples, n_in]`.
    Inputs(Vec<f32>),
}

/// Reads the samples of one file as those of [`load`] are read: a `.npy` of inputs, or a `.npz` with `inputs` and, where known, `targets` or `labels`.
///
/// # Errors
/// [`ArrayError`].
pub fn load_own(
    path: &Path,
    kind: AnswerKind,
    shape: Shape,
    scaling: Option<&Scaling>,
) -> Result<Own, ArrayError> {
    let what = if kind == AnswerKind::Labels { "labels" } else { "targets" };
    let answers = Part { what, each: "answer", test: false };
    if table::archive_has(path, answers)? {
        let files = ArrayFiles { inputs: path.into(), answers: path.into() };
        let mut raw = Raw::open(&files, kind, false, shape)?;
        raw.inputs.decode(shape.encoding);
        let rows: Vec<usize> = (0..raw.inputs.samples()).collect();
        if let Some(values) = raw.values(&rows, scaling, shape) {
            return Ok(Own::Values(values));
        }
    }
    let mut inputs = Table::open(path, Part { what: "inputs", each: "feature", test: false })?;
    inputs.check("inputs", "input", shape.n_in)?;
    inputs.decode(shape.encoding);
    if let Some(scaling) = scaling {
        scaling.apply(&mut inputs.data);
    }
    Ok(Own::Inputs(inputs.data.into_iter().map(|v| v as f32).collect()))
}

/// Checks that a file of the user's own would be read as the samples that were learned: bytes as brightness, other numbers as they are. Where the
/// training samples are no longer there, nothing can be said.
///
/// # Errors
/// [`ArrayError::Another`], or a file that cannot be read.
pub fn check_own(path: &Path, config: &ArraysConfig) -> Result<(), ArrayError> {
    let part = Part { what: "inputs", each: "feature", test: false };
    let Ok(learned) = table::element(&config.train.inputs, part) else { return Ok(()) };
    let found = table::element(path, part)?;
    if table::is_bytes(learned) == table::is_bytes(found) {
        return Ok(());
    }
    let (own, train) = (path.to_path_buf(), config.train.inputs.clone());
    Err(ArrayError::Another { own, found: found.name(), train, learned: learned.name() })
}

/// Reads pictures whose class is not known, as [`load_pictures`] does: one `.png`, or all of a folder in the order of their names.
/// `[samples, n_in]` bytes.
///
/// # Errors
/// [`ArrayError`].
pub fn load_own_pictures(path: &Path, colour: bool, n_in: usize) -> Result<Vec<u8>, ArrayError> {
    let files = if path.is_dir() { pictures::pictures(path)? } else { vec![path.into()] };
    let mut all = Vec::new();
    for path in files {
        let ([rows, columns], bytes) = pictures::picture(&path, colour)?;
        if bytes.len() != n_in {
            let found = if colour { vec![rows, columns, 3] } else { vec![rows, columns] };
            let (what, population, width) = ("pictures", "input", bytes.len());
            return Err(ArrayError::Width { path, what, found, width, population, neurons: n_in });
        }
        all.extend(bytes);
    }
    Ok(all)
}

/// Reads pictures and splits them; classes are the sub-folders in the order of their names.
///
/// # Errors
/// As [`load`].
pub fn load_pictures(config: &PicturesConfig, shape: Shape, split: Split) -> Result<Dataset, DataError> {
    let train = Pictures::read(&config.train, config.colour, None)?;
    let (width, classes) = (train.shape.iter().product(), train.classes.len());
    if width != shape.n_in {
        let found = [vec![train.labels.len()], train.shape].concat();
        let (path, what, population) = (config.train.clone(), "pictures", "input");
        let neurons = shape.n_in;
        return Err(ArrayError::Width { path, what, found, width, population, neurons }.into());
    }
    let test = match &config.test {
        TestPart::Files(folder) => Some(Pictures::read(folder, config.colour, Some(&train))?),
        _ => None,
    };
    let names = train.classes.join(", ");
    let folder = config.train.file_name().unwrap_or_default().to_string_lossy();
    let description = format!("pictures of {classes} classes in {folder} ({})", short(&names));
    let samples = |p: Pictures| Samples::new(p.bytes, p.labels, width, classes);
    let all = samples(train)?;
    let drawn = config.test.drawn(all.len())?;
    let (train, test) = match test {
        Some(test) => (all, samples(test)?),
        None => divided(&all, drawn, split),
    };
    Dataset::new(train, test, description, split)
}

/// The start of a list of names.
fn short(names: &str) -> String {
    const MOST: usize = 60;
    if names.chars().count() <= MOST {
        names.to_owned()
    } else {
        names.chars().take(MOST).chain(['…']).collect()
    }
}
