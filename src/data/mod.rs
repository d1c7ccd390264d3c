//! Data sets: images with labels, split into training, validation and test samples; the scheduler that cuts them into
//! mini-batches.

pub mod arrays;
pub mod directory;
mod encoding;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod idx;
mod mnist;
pub mod npy;
pub mod npz;
mod published;
pub mod recording;
mod samples;
pub mod scheduler;
pub mod series;
mod values;

pub use directory::{DataDir, SetError};
pub use encoding::Encoding;
pub use mnist::IdxPaths;
pub use published::{Published, PublishedFile, PublishedSet};
pub use samples::Samples;
pub use scheduler::{Batches, MiniBatch, Rows};
pub use values::{Answers, Values};

use rand::seq::SliceRandom;

use crate::random::{Purpose, stream};
use idx::IdxError;

/// Why data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is missing, damaged or of another kind.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// Files of a published set are missing, or not the right ones.
    #[error(transparent)]
    Set(#[from] SetError),
    /// Images and labels do not belong together.
    #[error(
        "{images} images in {images_from}, but {labels} labels in {labels_from}: they have to come from one set"
    )]
    Count {
        /// Where the images came from.
        images_from: String,
        /// Number of images.
        images: usize,
        /// Where the labels came from.
        labels_from: String,
        /// Number of labels.
        labels: usize,
    },
    /// A label names no class.
    #[error(
        "{from}: label {index} is {label}, but the classes are 0 to {last}: the output population needs a neuron for \
         each class",
        last = classes.saturating_sub(1)
    )]
    Label {
        /// Where the labels came from.
        from: String,
        /// Which label, from 0.
        index: usize,
        /// What it says.
        label: u8,
        /// Number of classes.
        classes: usize,
    },
    /// Images and network differ in size.
    #[error(
        "{from}: an image has {pixels} pixels, but the input population has {n_in} neurons; make them equal"
    )]
    Size {
        /// Where the images came from, with rows × columns where known.
        from: String,
        /// Pixels of an image.
        pixels: usize,
        /// Neurons of the input population.
        n_in: usize,
    },
    /// The images are not all of one size.
    #[error("{from}: {pixels} bytes are not a whole number of images of {each} pixels")]
    Shape {
        /// Where the images came from.
        from: String,
        /// Bytes in all.
        pixels: usize,
        /// Pixels of an image.
        each: usize,
    },
    /// No sample, or more than can be indexed.
    #[error("{from}: {samples} samples; a set has 1 to 4294967295")]
    Samples {
        /// Where the images came from.
        from: String,
        /// How many there are.
        samples: usize,
    },
    /// The network has too few outputs.
    #[error(
        "the data have {classes} classes, but the output population has {n_out} neurons; it needs one for each"
    )]
    Classes {
        /// Classes of the data.
        classes: usize,
        /// Neurons of the output population.
        n_out: usize,
    },
    /// Training and test samples do not belong together.
    #[error(
        "training and test samples differ: {train:?} and {test:?} (pixels of an image, classes); they have to come \
         from one set"
    )]
    Kinds {
        /// Pixels and classes of the training samples.
        train: [usize; 2],
        /// Pixels and classes of the test samples.
        test: [usize; 2],
    },
    /// A limit of zero.
    #[error("the limit on training samples is 0; leave it out, or give at least 1")]
    Limit,
    /// Nothing would be left to train on.
    #[error(
        "{validation} validation samples out of {available} training samples leave nothing to train on; ask for fewer"
    )]
    Validation {
        /// Validation samples that were asked for.
        validation: usize,
        /// Training samples there are, after the limit.
        available: usize,
    },
    /// A mini-batch of nothing.
    #[error("the batch size is 0; give at least 1")]
    Batch,
    /// Channels and network differ in number.
    #[error(
        "{from}: {} input and {} target channels, but the input population has {} neurons and the output population {}; make them equal",
        channels[0], channels[1], neurons[0], neurons[1]
    )]
    Channels {
        /// Where the recordings came from.
        from: String,
        /// Input and target channels.
        channels: [usize; 2],
        /// Input and output neurons.
        neurons: [usize; 2],
    },
    /// Samples of numbers and network differ in size.
    #[error(
        "{from}: samples of {} inputs and {} outputs, but the input population has {} neurons and the output population {}; make them equal",
        widths[0], widths[1], neurons[0], neurons[1]
    )]
    Widths {
        /// Where the samples came from.
        from: String,
        /// Inputs and outputs of a sample.
        widths: [usize; 2],
        /// Input and output neurons.
        neurons: [usize; 2],
    },
    /// Arrays or pictures of the user cannot be used.
    #[error(transparent)]
    Arrays(#[from] arrays::ArrayError),
    /// No window of a recording fits.
    #[error(transparent)]
    Window(#[from] series::WindowError),
    /// Rows of a recording cannot be read.
    #[error("{from}: {error}")]
    Rows {
        /// Where the recordings came from.
        from: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The thread that assembles mini-batches could not be started.
    #[error("cannot start the thread that assembles mini-batches: {0}")]
    Thread(std::io::Error),
}

/// How the training data are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Seed of the run; with it alone the choice of validation samples is the same on every device.
    pub seed: u64,
    /// Number of validation samples, drawn from the training data; 0 = none.
    pub validation: usize,
    /// Only the first so many training samples are used, before the split.
    pub train_limit: Option<usize>,
}

impl Split {
    /// The places of the training samples that are kept and of those that are held out for validation, out of `samples`; both ascending.
    pub(crate) fn parts(self, samples: usize) -> Result<[Vec<usize>; 2], DataError> {
        let available = match self.train_limit {
            Some(0) => return Err(DataError::Limit),
            Some(limit) => samples.min(limit),
            None => samples,
        };
        let mut order: Vec<usize> = (0..available).collect();
        if self.validation == 0 {
            return Ok([order, Vec::new()]);
        }
        if self.validation >= available {
            return Err(DataError::Validation { validation: self.validation, available });
        }
        order.shuffle(&mut stream(self.seed, Purpose::Split, 0, 0));
        let mut kept = order.split_off(self.validation);
        order.sort_unstable();
        kept.sort_unstable();
        Ok([kept, order])
    }

    /// The places of `samples` that stay for training, and of the `test` that are drawn for the test; both ascending.
    fn test_part(self, samples: usize, test: usize) -> [Vec<usize>; 2] {
        let mut order: Vec<usize> = (0..samples).collect();
        order.shuffle(&mut stream(self.seed, Purpose::Split, 1, 0));
        let mut kept = order.split_off(test.min(samples));
        order.sort_unstable();
        kept.sort_unstable();
        [kept, order]
    }
}

/// Training, validation and test samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset<S = Samples> {
    /// What is learned.
    pub train: S,
    /// Held out of the training data; for choosing settings.
    pub validation: Option<S>,
    /// Read once, at the end.
    pub test: S,
    /// Where they came from, for people.
    pub description: String,
}

impl Dataset {
    /// Splits `train` as `split` says; both parts keep the order they had.
    ///
    /// # Errors
    /// If training and test samples differ in size or classes, or the split leaves no training sample.
    pub fn new(train: Samples, test: Samples, description: String, split: Split) -> Result<Self, DataError> {
        let [kind, other] = [&train, &test].map(|s| [s.pixels(), s.classes()]);
        if kind != other {
            return Err(DataError::Kinds { train: kind, test: other });
        }
        let [kept, held_out] = split.parts(train.len())?;
        let validation = (!held_out.is_empty()).then(|| train.select(held_out.into_iter()));
        let train = if kept.len() == train.len() { train } else { train.select(kept.into_iter()) };
        Ok(Self { train, validation, test, description })
    }

    /// Checks that a network with `n_in` input and `n_out` output neurons can learn these data.
    ///
    /// # Errors
    /// [`DataError::Size`] or [`DataError::Classes`].
    pub fn check(&self, n_in: usize, n_out: usize) -> Result<(), DataError> {
        let (pixels, classes) = (self.train.pixels(), self.train.classes());
        if pixels != n_in {
            return Err(DataError::Size { from: self.description.clone(), pixels, n_in });
        }
        if classes > n_out {
            return Err(DataError::Classes { classes, n_out });
        }
        Ok(())
    }
}

impl<S: Rows> Dataset<S> {
    /// Training, validation and test samples, counted.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        [self.train.len(), self.validation.as_ref().map_or(0, Rows::len), self.test.len()]
    }
}
