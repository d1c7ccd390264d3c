//! Sets in the format of MNIST: the subset that is part of the program, published sets in a data directory, and IDX files of
//! the user.

use std::path::{Path, PathBuf};

use super::idx::{self, IdxError, Images};
use super::{DataDir, DataError, Dataset, Published, Samples, Split, directory};

/// Official names of training images and labels, test images and labels.
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The embedded subset, in the order of [`NAMES`] (see `assets/LICENSES.md`).
const EMBEDDED: [&[u8]; 4] = [
    include_bytes!("../../assets/mnist/train-images-idx3-ubyte.gz"),
    include_bytes!("../../assets/mnist/train-labels-idx1-ubyte.gz"),
    include_bytes!("../../assets/mnist/t10k-images-idx3-ubyte.gz"),
    include_bytes!("../../assets/mnist/t10k-labels-idx1-ubyte.gz"),
];

/// Classes of MNIST, and neurons of the output population.
const DIGITS: usize = 10;

/// Where a data set lies: four IDX files, each plain or gzip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxPaths {
    /// Images to learn.
    pub train_images: PathBuf,
    /// Their labels.
    pub train_labels: PathBuf,
    /// Images of the test set.
    pub test_images: PathBuf,
    /// Their labels.
    pub test_labels: PathBuf,
}

impl IdxPaths {
    /// The four files in `folder` by their official names, with or without `.gz` (the plain one wins).
    ///
    /// # Errors
    /// [`IdxError::NotInFolder`] names the first that is missing.
    pub fn in_folder(folder: &Path) -> Result<Self, IdxError> {
        let find = |name: &'static str| {
            [folder.join(name), folder.join(format!("{name}.gz"))]
                .into_iter()
                .find(|path| path.exists())
                .ok_or_else(|| IdxError::NotInFolder { folder: folder.to_path_buf(), name })
        };
        let [train_images, train_labels, test_images, test_labels] = NAMES.map(find);
        Ok(Self {
            train_images: train_images?,
            train_labels: train_labels?,
            test_images: test_images?,
            test_labels: test_labels?,
        })
    }
}

impl Dataset {
    /// The embedded subset of MNIST: the first 2,000 training and the first 100 test digits of each class, 28 × 28
    /// pixels, in the order of the official files.
    ///
    /// # Errors
    /// If the split leaves no training sample.
    pub fn embedded_mnist(split: Split) -> Result<Self, DataError> {
        let [train_images, train_labels, test_images, test_labels] = EMBEDDED;
        let part = |images: &[u8], labels: &[u8], names: [&str; 2]| {
            let images = idx::parse_images(names[0], images)?;
            let labels = idx::parse_labels(names[1], labels)?;
            pair(images, labels, names, None, DIGITS)
        };
        let train = part(train_images, train_labels, [NAMES[0], NAMES[1]])?;
        let test = part(test_images, test_labels, [NAMES[2], NAMES[3]])?;
        Self::new(train, test, "MNIST, embedded subset".to_owned(), split)
    }

    /// A published set with its official split, from its files in `folder`, whose sums are verified.
    ///
    /// # Errors
    /// If a file is missing or not the published one ([`DataError::Set`]), or the split leaves no training sample.
    pub fn published(set: &Published, folder: &DataDir, split: Split) -> Result<Self, DataError> {
        let paths = folder.locate(set)?;
        let part = |first: usize| {
            let names = [0, 1].map(|i| paths[first + i].display().to_string());
            let read = |i: usize| directory::read(&paths[first + i], &set.files[first + i]);
            let images = idx::parse_images(&names[0], &read(0)?)?;
            let labels = idx::parse_labels(&names[1], &read(1)?)?;
            pair(images, labels, [&names[0], &names[1]], Some(set.pixels), set.classes)
        };
        let (train, test) = (part(0)?, part(2)?);
        Self::new(train, test, format!("{}, official split", set.title), split)
    }

    /// A data set from IDX files, for a network with `n_in` input neurons and `classes` output neurons.
    ///
    /// # Errors
    /// If a file is missing or damaged ([`DataError::Idx`]), images and labels differ in number, an image has not
    /// `n_in` pixels, a label is not below `classes`, or the split leaves no training sample.
    pub fn from_idx(paths: &IdxPaths, n_in: usize, classes: usize, split: Split) -> Result<Self, DataError> {
        let part = |images: &Path, labels: &Path| {
            let names = [images.display().to_string(), labels.display().to_string()];
            let (images, labels) = (idx::read_images(images)?, idx::read_labels(labels)?);
            pair(images, labels, [&names[0], &names[1]], Some(n_in), classes)
        };
        let train = part(&paths.train_images, &paths.train_labels)?;
        let test = part(&paths.test_images, &paths.test_labels)?;
        let folder = paths.train_images.parent().unwrap_or(Path::new("."));
        let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Self::new(train, test, format!("IDX files in {}", place.display()), split)
    }
}

/// Images with their labels, checked against each other and the network.
fn pair(
    images: Images,
    labels: Vec<u8>,
    names: [&str; 2],
    n_in: Option<usize>,
    classes: usize,
) -> Result<Samples, DataError> {
    let Images { rows, cols, pixels, .. } = images;
    // The product fits: the file held it.
    let each = rows * cols;
    if let Some(n_in) = n_in.filter(|&n_in| n_in != each) {
        return Err(DataError::Size { from: format!("{} ({rows}×{cols})", names[0]), pixels: each, n_in });
    }
    Samples::named(pixels, labels, each, classes, names)
}
