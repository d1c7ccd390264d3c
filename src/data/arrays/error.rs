//! What can be wrong with arrays and pictures of the user.

use std::path::PathBuf;

use crate::data::npz::NpzError;

/// Why arrays or a folder of pictures cannot be learned.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// A NumPy file.
    #[error(transparent)]
    Numpy(#[from] NpzError),
    /// An archive with several arrays.
    #[error("{}: which array holds the {what}? It has: {have}; name one '{}', or save it as .npy", path.display(), names[0])]
    WhichArray {
        /// The file.
        path: PathBuf,
        /// `inputs`, `targets` or `labels`.
        what: &'static str,
        /// Names that are looked for.
        names: Vec<String>,
        /// Names of the arrays.
        have: String,
    },
    /// An array that is no table of samples.
    #[error("{}: {what} of shape {found:?}; expected {want}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// `inputs`, `targets` or `labels`.
        what: &'static str,
        /// Shape in the file.
        found: Vec<usize>,
        /// What is needed.
        want: String,
    },
    /// Samples that are wider or narrower than a population.
    #[error(
        "{}: {what} of shape {found:?} have {width} values a sample, but the {population} population has {neurons} neurons; make them equal", path.display()
    )]
    Width {
        /// The file or folder.
        path: PathBuf,
        /// `inputs`, `targets` or `pictures`.
        what: &'static str,
        /// Shape there.
        found: Vec<usize>,
        /// Values of a sample.
        width: usize,
        /// `input` or `output`.
        population: &'static str,
        /// Its neurons.
        neurons: usize,
    },
    /// Inputs and answers that do not belong together.
    #[error(
        "{} samples in {}, but {} in {}: they have to come from one set", counts[0], paths[0].display(), counts[1], paths[1].display()
    )]
    Count {
        /// Files of inputs and answers.
        paths: [PathBuf; 2],
        /// Their samples.
        counts: [usize; 2],
    },
    /// The training samples as test samples.
    #[error("{}: training and test would have the same {what}; name another file, or call the array of the test 'test_{what}'", path.display())]
    Same {
        /// The file.
        path: PathBuf,
        /// `inputs`, `targets` or `labels`.
        what: &'static str,
    },
    /// Bytes are brightness, other numbers are voltages.
    #[error(
        "{} holds uint8 (brightness, read as value/255) and {} other numbers (read as they are): save both as the same type", uint8.display(), other.display()
    )]
    Mixed {
        /// The file of bytes.
        uint8: PathBuf,
        /// The other one.
        other: PathBuf,
    },
    /// Samples of the user's own that would be read in another way than those that were learned.
    #[error(
        "{} holds {found}, but the network learned {learned} of {} (uint8 is brightness, read as value/255; other numbers are read as they are): save it with the type of the training samples", own.display(), train.display()
    )]
    Another {
        /// The file.
        own: PathBuf,
        /// Type of its numbers.
        found: String,
        /// The training samples.
        train: PathBuf,
        /// Type of theirs.
        learned: String,
    },
    /// More samples than can be indexed.
    #[error("{}: {samples} samples; a set has 1 to 4294967295", path.display())]
    Samples {
        /// The file.
        path: PathBuf,
        /// How many there are.
        samples: usize,
    },
    /// A number that is none, or too large.
    #[error(
        "{}: {value} in sample {sample}, {what} {feature} (both from 0): all have to be finite numbers of single precision (below 3.4e38)", path.display()
    )]
    Value {
        /// The file.
        path: PathBuf,
        /// Place in the file, from 0.
        sample: usize,
        /// `feature` or `target`.
        what: &'static str,
        /// Place in the sample, from 0.
        feature: usize,
        /// The value.
        value: f64,
    },
    /// A label that is no class.
    #[error(
        "{}: the label of sample {sample} (from 0) is {value}: labels are whole numbers from 0 to {last}, one for each output neuron (and at most 255)", path.display()
    )]
    Label {
        /// The file.
        path: PathBuf,
        /// Place in the file, from 0.
        sample: usize,
        /// What it says.
        value: f64,
        /// The largest class.
        last: usize,
    },
    /// A test part that leaves nothing.
    #[error(
        "{test} of {samples} samples are asked for as the test part: there has to be at least one for the test and one for training"
    )]
    Test {
        /// Test samples.
        test: usize,
        /// Samples there are.
        samples: usize,
    },
    /// A folder or picture that cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A picture that is damaged, or none.
    #[error("{}: is no PNG that can be read: {reason}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// A folder without what is needed.
    #[error("{}: {what}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is missing, or too much.
        what: String,
    },
    /// A picture of another size than the first.
    #[error(
        "{}: {} × {} pixels, but {} has {} × {} (rows × columns): all pictures have to be of one size", path.display(), found[0], found[1], first.display(), want[0], want[1]
    )]
    Size {
        /// The picture.
        path: PathBuf,
        /// Its rows and columns.
        found: [usize; 2],
        /// The picture that all others are compared with.
        first: PathBuf,
        /// Its rows and columns.
        want: [usize; 2],
    },
}
