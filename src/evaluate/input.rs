//! What is presented: the images of a data set, or those of the user's own file.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::data::idx::{self, IdxError};
use crate::data::npz::{Array, NpzError, NpzFile, read_npy};
use crate::data::{Encoding, Samples, Values};

/// Samples, `[samples, n_in]` row-major.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a> {
    /// Bytes, and the voltage of each byte value.
    Bytes {
        /// 0 to 255.
        images: &'a [u8],
        /// 256 voltages.
        table: &'a [f64],
    },
    /// Voltages.
    Voltages(&'a [f64]),
    /// Voltages in single precision.
    Singles(&'a [f32]),
}

impl Inputs<'_> {
    /// Number of values.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes { images, .. } => images.len(),
            Self::Voltages(values) => values.len(),
            Self::Singles(values) => values.len(),
        }
    }

    /// Writes the voltages from value `at` on to `to`.
    pub(super) fn read(&self, at: usize, to: &mut [f64]) {
        match self {
            Self::Bytes { images, table } => {
                for (to, &byte) in to.iter_mut().zip(&images[at..]) {
                    *to = table[usize::from(byte)];
                }
            }
            Self::Voltages(values) => to.copy_from_slice(&values[at..][..to.len()]),
            Self::Singles(values) => {
                for (to, &value) in to.iter_mut().zip(&values[at..]) {
                    *to = f64::from(value);
                }
            }
        }
    }
}

/// Why a file of images cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be opened.
    #[error("{}: cannot be read: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A NumPy file.
    #[error(transparent)]
    Numpy(#[from] NpzError),
    /// An IDX file.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// An archive with several arrays.
    #[error(
        "{}: which array holds the images? It has: {have}; name one 'images', or leave one beside 'labels'", path.display()
    )]
    WhichArray {
        /// The file.
        path: PathBuf,
        /// Names of the arrays.
        have: String,
    },
    /// Images of another size, or none.
    #[error(
        "{}: images of shape {found:?}, this network needs [samples, {n_in}] (or [samples, rows, columns] with {n_in} pixels)", path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// Shape in the file.
        found: Vec<usize>,
        /// Neurons of the input population.
        n_in: usize,
    },
    /// A value that is no brightness.
    #[error("{}: value {value} in image {image} (from 0), pixel {pixel}: {expected}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Place in the file, from 0.
        image: usize,
        /// Place in the image, from 0.
        pixel: usize,
        /// The value.
        value: f64,
        /// What is read.
        expected: &'static str,
    },
    /// Labels that do not belong to the images.
    #[error(
        "{}: 'labels' has to hold a class from 0 to 255 for each of the {samples} images, as [{samples}]", path.display()
    )]
    Labels {
        /// The file.
        path: PathBuf,
        /// Number of images.
        samples: usize,
    },
}

/// Images that are to be presented, with their labels where they are known.
#[derive(Clone, Debug)]
pub struct Images {
    pixels: Pixels,
    /// One a sample, where known.
    pub labels: Option<Vec<u8>>,
    /// Where they came from, for people.
    pub description: String,
}

#[derive(Clone, Debug)]
enum Pixels {
    Set(Samples, Vec<f64>),
    Bytes(Vec<u8>, Vec<f64>),
    Voltages(Vec<f64>),
    Singles(Vec<f32>),
    Values(Values),
}

const UNIT: &str = "images of floating-point numbers have values from 0 to 1; divide by the largest, or save bytes (uint8, 0 to 255)";
const BYTE: &str = "images of whole numbers have values from 0 to 255";

impl Images {
    /// A part of a data set, without a copy.
    #[must_use]
    pub fn of(samples: &Samples, encoding: Encoding, description: String) -> Self {
        let labels = Some(samples.labels().to_vec());
        let table = encoding.pixel_table().to_vec();
        Self { pixels: Pixels::Set(samples.clone(), table), labels, description }
    }

    /// Samples of numbers, without a copy.
    #[must_use]
    pub fn of_values(values: Values, description: String) -> Self {
        let labels = values.labels().map(<[u8]>::to_vec);
        Self { pixels: Pixels::Values(values), labels, description }
    }

    /// Input voltages `[samples, n_in]` whose answers are not known.
    #[must_use]
    pub fn of_inputs(inputs: Vec<f32>, description: String) -> Self {
        Self { pixels: Pixels::Singles(inputs), labels: None, description }
    }

    /// Images that are bytes, `[samples, pixels]`, whose classes are not known.
    #[must_use]
    pub fn of_bytes(bytes: Vec<u8>, encoding: Encoding, description: String) -> Self {
        let pixels = Pixels::Bytes(bytes, encoding.pixel_table().to_vec());
        Self { pixels, labels: None, description }
    }

    /// Targets `[n_out]` of a sample, where they are known.
    #[must_use]
    pub fn targets(&self, i: usize) -> Option<&[f32]> {
        match &self.pixels {
            Pixels::Values(values) => values.targets(i),
            _ => None,
        }
    }

    /// Images of `n_in` pixels from a file, whose first bytes tell its kind: `.npy`, `.npz` (array `images`, or the only one; `labels`
    /// if there are any) or IDX, plain or gzip. Whole numbers are bytes, 0 to 255; floating-point numbers brightness, 0 to 1.
    ///
    /// # Errors
    /// See [`InputError`].
    pub fn open(path: &Path, n_in: usize, encoding: Encoding) -> Result<Self, InputError> {
        let mut magic = [0_u8; 6];
        let failed = |source| InputError::Open { path: path.into(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mut start = Vec::new();
        file.take(magic.len() as u64).read_to_end(&mut start).map_err(failed)?;
        magic[..start.len()].copy_from_slice(&start);
        let description = format!("images of {}", path.display());
        let with = |pixels, labels| Self { pixels, labels, description };
        if magic.starts_with(b"PK") {
            let (images, labels) = archive(path)?;
            let pixels = pixels(path, images, n_in, encoding)?;
            let labels = labels.map(|l| classes(path, &l, pixels.len() / n_in)).transpose()?;
            return Ok(with(pixels, labels));
        }
        if &magic == b"\x93NUMPY" {
            return Ok(with(pixels(path, read_npy(path)?, n_in, encoding)?, None));
        }
        let images = idx::read_images(path)?;
        if images.rows * images.cols != n_in {
            let found = vec![images.count, images.rows, images.cols];
            return Err(InputError::Shape { path: path.into(), found, n_in });
        }
        Ok(with(Pixels::Bytes(images.pixels, encoding.pixel_table().to_vec()), None))
    }

    /// As a predictor takes them.
    #[must_use]
    pub fn inputs(&self) -> Inputs<'_> {
        match &self.pixels {
            Pixels::Set(samples, table) => Inputs::Bytes { images: samples.images(), table },
            Pixels::Bytes(images, table) => Inputs::Bytes { images, table },
            Pixels::Voltages(values) => Inputs::Voltages(values),
            Pixels::Singles(values) => Inputs::Singles(values),
            Pixels::Values(values) => Inputs::Singles(values.inputs()),
        }
    }
}

impl Pixels {
    fn len(&self) -> usize {
        match self {
            Self::Set(samples, _) => samples.images().len(),
            Self::Bytes(images, _) => images.len(),
            Self::Voltages(values) => values.len(),
            Self::Singles(values) => values.len(),
            Self::Values(values) => values.inputs().len(),
        }
    }
}

/// Images (with whether they are floating-point numbers) and labels of an archive.
fn archive(path: &Path) -> Result<((Array, bool), Option<Array>), InputError> {
    let mut file = NpzFile::open(path)?;
    let others: Vec<&String> = file.names().iter().filter(|n| *n != "labels").collect();
    let name = match others.as_slice() {
        all if all.iter().any(|n| *n == "images") => "images".to_owned(),
        [only] => (*only).clone(),
        _ => return Err(InputError::WhichArray { path: path.into(), have: file.names().join(", ") }),
    };
    let images = file.read_typed(&name)?;
    let labels = if file.contains("labels") { Some(file.read("labels")?) } else { None };
    Ok((images, labels))
}

fn pixels(
    path: &Path,
    (array, float): (Array, bool),
    n_in: usize,
    encoding: Encoding,
) -> Result<Pixels, InputError> {
    let fits = matches!(array.shape.as_slice(), [_, rest @ ..] if !rest.is_empty() && rest.iter().product::<usize>() == n_in);
    if !fits || array.data.is_empty() {
        return Err(InputError::Shape { path: path.into(), found: array.shape, n_in });
    }
    let (most, expected) = if float { (1.0, UNIT) } else { (255.0, BYTE) };
    if let Some(at) = array.data.iter().position(|v| !(0.0..=most).contains(v)) {
        let (image, pixel, value) = (at / n_in, at % n_in, array.data[at]);
        return Err(InputError::Value { path: path.into(), image, pixel, value, expected });
    }
    if float {
        return Ok(Pixels::Voltages(array.data.into_iter().map(|v| encoding.value(v)).collect()));
    }
    Ok(Pixels::Bytes(array.data.iter().map(|&v| v as u8).collect(), encoding.pixel_table().to_vec()))
}

fn classes(path: &Path, labels: &Array, samples: usize) -> Result<Vec<u8>, InputError> {
    let whole = |v: &f64| v.fract() == 0.0 && (0.0..=255.0).contains(v);
    if labels.shape != [samples] || !labels.data.iter().all(whole) {
        return Err(InputError::Labels { path: path.into(), samples });
    }
    Ok(labels.data.iter().map(|&v| v as u8).collect())
}
